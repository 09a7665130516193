#include <vembed/audit/row_proofs.hpp>

#include "audit/report/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/known_account.hpp"
#include "storage/file_ops.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

/// A false proof outweighs a file that cannot be read, and that outweighs a check that cannot be made.
exit_code worse(exit_code a, exit_code b) {
    for (const exit_code code : {exit_code::verification_failed, exit_code::error, exit_code::not_checkable}) {
        if (a == code || b == code) {
            return code;
        }
    }
    return exit_code::done;
}

boost::json::object report_object(const std::string& file, const std::string& account, const row_proof_report& report) {
    boost::json::object out;
    out["file"] = text::json_string(file);
    out["account"] = account.empty() ? boost::json::value() : boost::json::value(text::json_string(account));
    const boost::json::object found = audit::json_of(report);
    out.insert(found.begin(), found.end());
    out["exit_code"] = static_cast<int>(exit_code_of(report.verdict()));
    return out;
}

std::string line_of(const std::string& file, const row_proof_report& report) {
    std::string line = text::printable(file) + ": " + std::string(to_string(report.verdict()));
    for (const row_proof_check& check : report.checks) {
        if (check.verdict == check_verdict::failed ||
            (check.verdict == check_verdict::not_checkable && check.required)) {
            return line + ", " + check.name + ": " + text::printable(check.reason);
        }
    }
    return line + ", " + text::printable(report.subject);
}

}  // namespace

exit_code run_check_proof(const command_context& context, const check_proof_arguments& arguments) {
    row_proof_expectations expected;
    expected.root = arguments.root;
    expected.rows = arguments.rows;
    if (!arguments.text_file.empty()) {
        auto text = storage::read_beginning(arguments.text_file, row_proof_bytes_max + 1);
        if (!text) {
            return give_up(context.out, text.error());
        }
        expected.text = std::move(*text);
    }
    auto known = read_known_account(arguments.pins_file, arguments.account);
    if (!known) {
        return give_up(context.out, known.error());
    }
    expected.pins = std::move(known->pins);
    exit_code code = exit_code::done;
    for (const std::string& file : arguments.files) {
        const auto report = check_row_proof_file(file, expected);
        if (!report) {
            context.out.fail(report.error());
            code = worse(code, exit_code::error);
            continue;
        }
        code = worse(code, exit_code_of(report->verdict()));
        if (context.out.json()) {
            context.out.print_object("proof_check", report_object(file, known->key, *report));
        } else if (arguments.files.size() > 1) {
            context.out.print(line_of(file, *report));
        } else {
            const std::string schemes =
                known->key.empty() ? "" : "Schemes as known of account " + text::printable(known->key) + ".\n";
            context.out.write_data(schemes + text::printable_lines(report->text()));
        }
    }
    if (!context.out.json() && arguments.files.size() > 1) {
        context.out.print(origin_line);
    }
    return code;
}

}  // namespace vembed::cli
