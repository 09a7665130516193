#include "cli/commands/receipt_check_command.hpp"

#include <algorithm>
#include <utility>

#include <vembed/audit/check_receipt.hpp>

#include "audit/report/report_json.hpp"
#include "cli/options/few_texts.hpp"
#include "cli/options/known_account.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

result<void> check_names(const std::vector<std::string>& required) {
    for (const std::string& name : required) {
        if (name != "all" && std::ranges::find(offline_check_names, name) == std::end(offline_check_names)) {
            return error(errc::invalid_argument, "--require " + name +
                                                     ": there is no check of that name; `vembed receipt check "
                                                     "--help` lists them");
        }
    }
    return {};
}

result<receipt_report> check_files(const receipt_arguments& arguments) {
    if (auto named = check_names(arguments.required); !named) {
        return named.error();
    }
    receipt_evidence have;
    have.required = arguments.required;
    have.npy_file = arguments.npy_file;
    auto known = read_known_account(arguments.pins_file, arguments.account);
    if (!known) {
        return known.error();
    }
    have.pins = std::move(known->pins);
    const auto receipt_text = read_receipt_file(arguments.file);
    if (!receipt_text) {
        return receipt_text.error();
    }
    if (!arguments.results_file.empty()) {
        auto results = read_results_file(arguments.results_file);
        if (!results) {
            return results.error();
        }
        have.results = std::move(*results);
    }
    if (!arguments.corpus.inputs.empty()) {
        const auto texts = read_few_texts(arguments.corpus);
        if (!texts) {
            return texts.error();
        }
        have.inputs.emplace(texts->begin(), texts->end());
    }
    return check_receipt(*receipt_text, have);
}

}  // namespace

exit_code check_one_receipt(const command_context& context, const receipt_arguments& arguments) {
    const auto report = check_files(arguments);
    if (!report) {
        return give_up(context.out, report.error());
    }
    const exit_code code = exit_code_of(report->verdict());
    if (context.out.json()) {
        boost::json::object out;
        out["file"] = text::json_string(arguments.file);
        const boost::json::object found = audit::json_of(*report);
        out.insert(found.begin(), found.end());
        out["exit_code"] = static_cast<int>(code);
        context.out.print_object("receipt_check", std::move(out));
        return code;
    }
    context.out.write_data(text::printable_lines(report->checks.text()));
    const std::string line = text::printable(arguments.file) + ": " + report->summary();
    code == exit_code::done ? context.out.say(line) : context.out.warn(line);
    return code;
}

}  // namespace vembed::cli
