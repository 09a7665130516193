#include <chrono>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/verify/sha256.hpp>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/options/spec_file.hpp"
#include "cli/report/attest_report.hpp"
#include "cli/report/log_number.hpp"
#include "cli/terminal/input_interrupt.hpp"
#include "folder/spool.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

// The library names its options as C++ has them; a user of the program knows them by other names.
error in_program_words(error why) {
    constexpr std::pair<std::string_view, std::string_view> words[] = {
        {"attest_options::output_file", "-o"},
        {"attest_corpus()", "`vembed attest`"},
        {"than this call's", "than this command's"},
        {"which do not go into one request",
         "which do not go into one request: `vembed embed` makes as many as it takes"}};
    for (const auto& [library, program] : words) {
        if (const std::size_t at = why.message.rfind(library); at != std::string::npos) {
            why.message.replace(at, library.size(), program);
        }
    }
    return why;
}

bool show_record(console& out, const log_record& record) {
    if (record.event == "attest_texts_left_out") {
        out.say("{} cannot be sent; their rows are left out",
                text::counted(number_in(record, "texts"), "text", "texts"));
        return true;
    }
    if (record.event == "attest_request_halved") {
        out.say("the service takes fewer than {} rows at once: trying {}", text::grouped(number_in(record, "rows")),
                text::grouped(number_in(record, "trying")));
        return true;
    }
    return false;
}

void show_progress(console& out, const attest_report& so_far) {
    if (!out.json()) {
        out.show_progress(progress_line(so_far));
        return;
    }
    boost::json::object object;
    object["rows_total"] = so_far.rows_total;
    object["rows_settled"] = so_far.rows_settled();
    object["rows_attested"] = so_far.rows_attested;
    object["under_way"] = so_far.requests_under_way;
    out.print_object("progress", std::move(object));
}

void show_claim(console& out, const claim_record& record) {
    boost::json::object object;
    object["rows"] = boost::json::array{record.claim.first, record.claim.end};
    object["outcome"] = to_string(record.outcome);
    object["receipt_id"] = text::printable(record.receipt_id);
    out.print_object("claim", std::move(object));
}

result<attest_options> options_of(const attest_arguments& arguments, console& out) {
    attest_options options = arguments.options;
    options.format = arguments.corpus.format;
    if (!arguments.commitment.empty()) {
        options.commitment = digest_from_hex(arguments.commitment);
        if (!options.commitment) {
            return error(errc::invalid_argument, "--commitment: it is the SHA-256 of the rows' bytes, 64 hex digits");
        }
    }
    auto spec = read_spec(arguments.spec_file);
    if (!spec) {
        return spec.error();
    }
    options.spec_yaml = std::move(*spec);
    // A commitment is one request: there is nothing to tell on its way.
    if (arguments.commitment.empty()) {
        options.progress_interval = out.json() ? 1'000ms : out.live() ? 250ms : 30'000ms;
        options.on_progress = [&out](const attest_report& so_far) { show_progress(out, so_far); };
    }
    if (arguments.commitment.empty() && out.json()) {
        options.on_claim = [&out](const claim_record& record) { show_claim(out, record); };
    }
    return options;
}

}  // namespace

exit_code run_attest(const command_context& context, const attest_arguments& arguments) {
    console& out = context.out;
    const auto env = make_console_environment(out, context.output.level,
                                              [&out](const log_record& record) { return show_record(out, record); });
    auto with = session::open(
        context.access, env,
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, arguments.pins_file));
    if (!with) {
        return give_up(out, with.error());
    }
    auto options = options_of(arguments, out);
    if (!options) {
        return give_up(out, options.error());
    }
    // The spool of standard input lives as long as it is read.
    auto inputs = folder::resolve_inputs(arguments.corpus.inputs, input_interrupt());
    if (!inputs) {
        return give_up(out, inputs.error());
    }
    options->inputs = inputs->files;
    options->stop = (*with)->stop();
    const result<attest_report> report = (*with)->run(attest_corpus((*with)->client(), std::move(*options)));
    if (!report) {
        return give_up(out, in_program_words(report.error()));
    }
    if (report->ended_by) {
        out.fail(in_program_words(*report->ended_by));
    }
    tell_end(out, *report, arguments.options.output_file);
    if (out.json()) {
        out.print_object("report", report_object(*report));
    }
    return exit_code_of(*report);
}

}  // namespace vembed::cli
