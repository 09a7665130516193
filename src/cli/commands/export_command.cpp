#include <vembed/folder/export_folder.hpp>

#include "cli/commands/commands.hpp"
#include "cli/report/json_report.hpp"
#include "cli_parts/interrupts.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

/// A text such as "2 of them failed and 3 of them are blank lines".
std::string describe_nan_rows(const export_report& done) {
    std::string text = done.rows_failed == 0 ? "" : text::grouped(done.rows_failed) + " of them failed";
    if (done.rows_blank > 0) {
        text += (text.empty() ? "" : " and ") + text::grouped(done.rows_blank) + " of them are blank lines";
    }
    return text;
}

std::string describe_left_out(const export_report& done) {
    std::string text = text::counted(done.rows_failed, "failed row", "failed rows");
    if (done.rows_blank > 0) {
        text =
            (done.rows_failed == 0 ? "" : text + " and ") + text::counted(done.rows_blank, "blank line", "blank lines");
    }
    return text + (done.rows_failed + done.rows_blank == 1 ? " is" : " are") + " left out";
}

}  // namespace

exit_code run_export(const command_context& context, const export_arguments& arguments) {
    export_options options = arguments.options;
    options.stop = interrupt_token();
    const auto done = export_folder(arguments.folder, options);
    if (!done) {
        return give_up(context.out, done.error());
    }
    const std::string& file = arguments.options.file;
    if (context.out.json()) {
        boost::json::object out;
        out["file"] = text::json_string(file);
        out["rows"] = done->rows;
        out["rows_failed"] = done->rows_failed;
        out["rows_blank"] = done->rows_blank;
        out["dimensions"] = done->dimensions;
        out["bytes"] = done->bytes;
        if (!done->ids_file.empty()) {
            out["ids_file"] = text::json_string(done->ids_file);
        }
        context.out.print_object("export", std::move(out));
    }
    context.out.say("{} of {} float32, {}{}{}", text::counted(done->rows, "row", "rows"),
                    text::grouped(done->dimensions), text::short_bytes(done->bytes),
                    done->rows == 1 ? ", is in " : ", are in ", file);
    const auto tell = [&](const std::string& line) {
        done->rows_failed > 0 ? context.out.warn(line) : context.out.say(line);
    };
    if (!done->ids_file.empty()) {
        tell(describe_left_out(*done) + "; the ids of the others are in " + done->ids_file);
    } else if (done->rows_failed + done->rows_blank > 0) {
        tell(describe_nan_rows(*done) + ": these rows are NaN; --skip-failed leaves them out");
    }
    return exit_code::done;
}

}  // namespace vembed::cli
