#include "audit/row_prover.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/report/json_report.hpp"
#include "cli/terminal/interrupts.hpp"
#include "client/account/pins_file.hpp"
#include "storage/replaced_file.hpp"
#include "text/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

command_failure as_command_failure(const audit::proof_failure& f) {
    switch (f.obstacle) {
        case audit::proof_obstacle::none: break;
        case audit::proof_obstacle::run_unfinished: return {f.reason, exit_code::unfinished};
        case audit::proof_obstacle::not_checkable: return {f.reason, exit_code::not_checkable};
    }
    return command_failure(f.reason);
}

command_result<row_proof> make_proof(audit::row_prover& prover, const prove_arguments& arguments) {
    std::uint64_t row = arguments.row.value_or(0);
    if (arguments.id) {
        const auto found = prover.row_of_id(*arguments.id);
        if (!found) {
            return command_failure(found.error());
        }
        row = *found;
    }
    const std::string pins_file = arguments.pins_file.empty() ? usual_pins_file() : arguments.pins_file;
    scheme_pins known;
    if (arguments.platform && !pins_file.empty()) {
        auto read = detail::read_pins_file(pins_file, !arguments.pins_file.empty());
        if (!read) {
            return command_failure(read.error());
        }
        known = std::move(*read);
    }
    auto made = prover.prove(row, arguments.platform, known);
    return made ? command_result<row_proof>(std::move(*made)) : as_command_failure(made.error());
}

result<void> write_file(const std::string& path, const std::string& text) {
    auto file = storage::replaced_file::create(path);
    if (!file) {
        return file.error();
    }
    if (auto written = file->append(text.data(), text.size()); !written) {
        return written;
    }
    return file->finish();
}

boost::json::object proof_object(const row_proof& proof, const std::string& file, std::size_t bytes) {
    boost::json::object out;
    out["file"] = text::json_string(file);
    out["bytes"] = bytes;
    out["row"] = proof.row.number;
    out["rows"] = proof.row.rows;
    out["row_root"] = to_hex(proof.row.root);
    out["platform"] = proof.platform.has_value();
    if (proof.platform) {
        out["of_row"] = proof.platform->of_row;
        out["job_id"] = text::json_string(proof.platform->job_id);
        out["receipt_id"] = text::json_string(proof.platform->receipt_id);
        out["chunk_reexecuted"] = proof.platform->chunk.selected_for_verification;
    }
    return out;
}

void say_what_it_shows(console& out, const row_proof& proof) {
    out.say("row " + text::grouped(proof.row.number) + " of " + text::grouped(proof.row.rows) + ", row root " +
            to_hex(proof.row.root));
    if (!proof.platform) {
        out.say("part one only: nothing in it shows that the row came from the service (see --platform)");
        return;
    }
    const platform_part& platform = *proof.platform;
    if (platform.of_row != proof.row.number) {
        out.say("the row is a copy of row " + text::grouped(platform.of_row) + ": part two is of that row's job");
    }
    out.say("part two: job " + text::printable(platform.job_id) + ", chunk " +
            text::grouped(platform.outputs_root.index) +
            (platform.chunk.selected_for_verification ? ", which the service says it re-executed"
                                                      : ", which the service did not re-execute"));
    if (!check_row_proof(proof).verified()) {
        out.say(
            "the receipt's trees do not keep data and nodes apart: who checks part two has to know that the account "
            "follows their schemes (`vembed check-proof --pins`)");
    }
}

}  // namespace

exit_code run_prove(const command_context& context, const prove_arguments& arguments) {
    auto prover = audit::row_prover::open(arguments.folder, interrupt_token());
    if (!prover) {
        return give_up(context.out, as_command_failure(prover.error()));
    }
    const auto proof = make_proof(*prover, arguments);
    if (!proof) {
        return give_up(context.out, proof.error());
    }
    const std::string text = proof->to_json();
    if (arguments.file.empty()) {
        context.out.write_data(text);
    } else if (auto written = write_file(arguments.file, text); !written) {
        return give_up(context.out, written.error());
    } else if (context.out.json()) {
        context.out.print_object("row_proof", proof_object(*proof, arguments.file, text.size()));
    }
    say_what_it_shows(context.out, *proof);
    return exit_code::done;
}

}  // namespace vembed::cli
