#include <vembed/audit/row_proofs.hpp>
#include <vembed/client/pins_file.hpp>

#include "audit/report/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli_parts/interrupts.hpp"
#include "storage/replaced_file.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

exit_code code_of(const proof_error& f) {
    switch (f.obstacle) {
        case proof_obstacle::none: break;
        case proof_obstacle::run_unfinished: return exit_code::unfinished;
        case proof_obstacle::not_checkable: return exit_code::not_checkable;
    }
    return exit_code_of(f);
}

row_proof_result make_proof(const prove_arguments& arguments) {
    prove_row_options options;
    options.platform = arguments.platform;
    options.stop = interrupt_token();
    const std::string pins_file = arguments.pins_file.empty() ? usual_pins_file() : arguments.pins_file;
    if (arguments.platform && !pins_file.empty()) {
        auto read = read_pins_file(pins_file, !arguments.pins_file.empty());
        if (!read) {
            return read.error();
        }
        options.known = std::move(*read);
    }
    return arguments.id ? prove_row(arguments.folder, *arguments.id, options)
                        : prove_row(arguments.folder, arguments.row.value_or(0), options);
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

void say_what_it_shows(console& out, const row_proof& proof) {
    out.say("row {} of {}, row root {}", text::grouped(proof.row.number), text::grouped(proof.row.rows),
            to_hex(proof.row.root));
    if (!proof.platform) {
        out.say("part one only: nothing in it shows that the row came from the service (see --platform)");
        return;
    }
    const platform_part& platform = *proof.platform;
    if (platform.of_row != proof.row.number) {
        out.say("the row is a copy of row {}: part two is of that row's job", text::grouped(platform.of_row));
    }
    out.say("part two: job {}, chunk {}{}", text::printable(platform.job_id),
            text::grouped(platform.outputs_root.index),
            platform.chunk.selected_for_verification ? ", which the service says it re-executed"
                                                     : ", which the service did not re-execute");
    if (!check_row_proof(proof).verified()) {
        out.say(
            "the receipt's trees do not keep data and nodes apart: who checks part two has to know that the account "
            "follows their schemes (`vembed check-proof --pins`)");
    }
}

}  // namespace

exit_code run_prove(const command_context& context, const prove_arguments& arguments) {
    const auto proof = make_proof(arguments);
    if (!proof) {
        context.out.fail(proof.error());
        return code_of(proof.error());
    }
    const std::string text = proof->to_json();
    if (arguments.file.empty()) {
        context.out.write_data(text);
    } else if (auto written = write_file(arguments.file, text); !written) {
        return give_up(context.out, written.error());
    } else if (context.out.json()) {
        boost::json::object out;
        out["file"] = text::json_string(arguments.file);
        out["bytes"] = text.size();
        const boost::json::object about = audit::json_of(*proof);
        out.insert(about.begin(), about.end());
        context.out.print_object("row_proof", std::move(out));
    }
    say_what_it_shows(context.out, *proof);
    return exit_code::done;
}

}  // namespace vembed::cli
