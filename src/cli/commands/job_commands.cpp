#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include <boost/json/serialize.hpp>

#include <vembed/verify/output_check.hpp>

#include "audit/report/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/job_submission.hpp"
#include "cli/commands/receipt_check_command.hpp"
#include "cli/options/session.hpp"
#include "cli/report/json_report.hpp"
#include "cyberian/wire/listed_chunks.hpp"
#include "folder/records/npy_file.hpp"
#include "storage/replaced_file.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t failed_chunks_shown = 20;

void print_failed_chunks(console& out, const std::vector<failed_chunk>& chunks) {
    for (std::size_t i = 0; i < chunks.size() && i < failed_chunks_shown; ++i) {
        const failed_chunk& one = chunks[i];
        const row_ranges rows = {{one.row_start, one.row_end}};
        out.print("failed   chunk {}, {}, status {}", one.chunk_index, text::describe_ranges(rows),
                  text::printable(one.status));
    }
    if (chunks.size() > failed_chunks_shown) {
        out.print("failed   … and {} more chunks", text::grouped(chunks.size() - failed_chunks_shown));
    }
}

void print_job(console& out, const job& of, const std::vector<failed_chunk>& failed = {}) {
    if (out.json()) {
        boost::json::object about = job_object(of);
        if (!failed.empty()) {
            about["failed_chunks"] = failed_chunks_array(failed);
        }
        out.print_object("job", std::move(about));
        return;
    }
    out.print("job      {}", text::printable(of.id));
    out.print("status   {}", text::printable(of.status_text));
    out.print("chunks   {}", text::grouped(of.chunk_count));
    if (of.receipt_id) {
        out.print("receipt  {}", text::printable(*of.receipt_id));
    }
    if (of.created_at) {
        out.print("created  {}", text::printable(*of.created_at));
    }
    print_failed_chunks(out, failed);
}

/// If the job ended in a state other than settled, that is an error of the command.
exit_code code_of(console& out, const job& ended) {
    if (ended.status == job_status::settled) {
        return exit_code::done;
    }
    if (!is_terminal(ended.status)) {
        out.warn("the job is still under way; run the same command again");
        return exit_code::unfinished;
    }
    out.warn("the job ended {}: there is no output", text::printable(ended.status_text));
    return exit_code::error;
}

exit_code wait_for_job(const command_context& context, session& with, const job_arguments& arguments) {
    // This is as good as never, and less than the longest deadline.
    constexpr std::chrono::seconds forever = std::chrono::hours(24 * 365);
    call_options options = with.cancellable();
    options.timeout = arguments.timeout_s == 0 ? forever : std::chrono::seconds(arguments.timeout_s);
    const auto settled = with.run(with.client().settle_job(arguments.id, options));
    const bool told = settled || settled.error().kind == errc::job_failed ||
                      settled.error().kind == errc::job_refunded || settled.error().kind == errc::timeout;
    if (!told) {
        return give_up(context.out, settled.error());
    }
    const auto state = with.run(with.client().get_job(arguments.id, with.cancellable()));
    if (!state) {
        return give_up(context.out, state.error());
    }
    print_job(context.out, *state, settled ? std::vector<failed_chunk>() : settled.error().failed_chunks);
    return code_of(context.out, *state);
}

void print_results(console& out, const job_results& results) {
    if (out.json()) {
        out.print_object("results", results_object(results));
        return;
    }
    out.print("chunk\trows\tstatus\tre-executed\tcommitment");
    for (const chunk_result& chunk : results.chunks) {
        out.print("{}\t{}-{}\t{}\t{}\t{}", chunk.chunk_index, chunk.row_start, chunk.row_end,
                  text::printable(chunk.status), chunk.selected_for_verification ? "yes" : "no",
                  text::printable(chunk.output_commitment.value_or("-")));
    }
}

result<void> write_npy(const std::string& path, const matrix& rows) {
    auto file = storage::replaced_file::create(path);
    if (!file) {
        return file.error();
    }
    const auto header = folder::npy_header(
        folder::npy_shape(static_cast<std::uint64_t>(rows.rows()), static_cast<std::uint64_t>(rows.cols())));
    if (auto written = file->append(header.data(), header.size()); !written) {
        return written;
    }
    const auto values = std::as_bytes(std::span(rows.data(), static_cast<std::size_t>(rows.size())));
    if (auto written = file->append(values.data(), values.size()); !written) {
        return written;
    }
    return file->finish();
}

void write_npy(console& out, const matrix& rows) {
    const auto header = folder::npy_header(
        folder::npy_shape(static_cast<std::uint64_t>(rows.rows()), static_cast<std::uint64_t>(rows.cols())));
    out.write_data(std::string_view(header.data(), header.size()));
    out.write_data(std::string_view(reinterpret_cast<const char*>(rows.data()),
                                    static_cast<std::size_t>(rows.size()) * sizeof(float)));
}

exit_code fetch_output(const command_context& context, session& with, const job_arguments& arguments) {
    if (arguments.file.empty() && (context.out.json() || ::isatty(STDOUT_FILENO) == 1)) {
        return give_up(context.out, error(errc::invalid_argument,
                                          "the output is binary: give -o FILE, or send "
                                          "standard output into a file without --json"));
    }
    const auto results = with.run(with.client().get_job_results(arguments.id, with.cancellable()));
    if (!results) {
        return give_up(context.out, results.error());
    }
    const std::vector<expected_chunk> chunks = cyberian::listed_chunks(*results);
    const std::uint64_t count = chunks.empty() ? 0 : chunks.back().row_end;
    if (auto tiling = check_tiling(chunks, count); !tiling || count == 0) {
        return give_up(context.out, tiling ? error(errc::protocol, "the job has no chunks") : tiling.error());
    }
    const auto output = with.run(with.client().get_job_output(arguments.id, count, with.cancellable()));
    if (!output) {
        return give_up(context.out, output.error());
    }
    const matrix& rows = output->rows;
    output_hasher hasher(chunks, static_cast<std::uint64_t>(rows.cols()) * sizeof(float));
    hasher.update(std::as_bytes(std::span(rows.data(), static_cast<std::size_t>(rows.size()))));
    if (auto hashed = hasher.finish(); !hashed) {
        return give_up(context.out, hashed.error());
    }
    if (arguments.file.empty()) {
        write_npy(context.out, rows);
        return exit_code::done;
    }
    if (auto written = write_npy(arguments.file, rows); !written) {
        return give_up(context.out, written.error());
    }
    if (context.out.json()) {
        boost::json::object about;
        about["file"] = text::json_string(arguments.file);
        about["rows"] = rows.rows();
        about["dimensions"] = rows.cols();
        context.out.print_object("output", std::move(about));
    }
    return exit_code::done;
}

void print_verification(console& out, const receipt_verification& of) {
    if (out.json()) {
        out.print_object("receipt_verification", verification_object(of));
        return;
    }
    for (const receipt_check& check : of.checks) {
        out.print("{}{}", check.passed ? "passed  " : "failed  ", text::printable(check.name));
    }
    for (const std::string& error : of.errors) {
        out.print("error   {}", text::printable(error));
    }
    out.print("{}, says the service (receipts are not signed: this shows integrity, not origin)",
              of.valid ? "valid" : "not valid");
}

}  // namespace

exit_code run_job(const command_context& context, const job_arguments& arguments) {
    if (arguments.what == job_arguments::verb::submit) {
        return submit_one_job(context, arguments);
    }
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    session& with = **open;
    switch (arguments.what) {
        case job_arguments::verb::submit: break;  // This verb has a session of its own.
        case job_arguments::verb::get: {
            const auto state = with.run(with.client().get_job(arguments.id, with.cancellable()));
            if (!state) {
                return give_up(context.out, state.error());
            }
            print_job(context.out, *state);
            return exit_code::done;
        }
        case job_arguments::verb::wait: return wait_for_job(context, with, arguments);
        case job_arguments::verb::results: {
            const auto results = with.run(with.client().get_job_results(arguments.id, with.cancellable()));
            if (!results) {
                return give_up(context.out, results.error());
            }
            print_results(context.out, *results);
            return exit_code::done;
        }
        case job_arguments::verb::output: return fetch_output(context, with, arguments);
    }
    return exit_code::error;
}

exit_code run_receipt(const command_context& context, const receipt_arguments& arguments) {
    if (arguments.what == receipt_arguments::verb::check) {
        return check_one_receipt(context, arguments);
    }
    auto open = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!open) {
        context.out.fail(open.error().reason);
        return open.error().code;
    }
    session& with = **open;
    console& out = context.out;
    if (arguments.what == receipt_arguments::verb::get) {
        const auto found = with.run(with.client().get_receipt(arguments.id, with.cancellable()));
        if (!found) {
            return give_up(out, found.error());
        }
        if (out.json()) {
            boost::json::object about = audit::json_of(*found);
            about["receipt_text"] = text::json_string(found->raw_text);  // `receipt check` hashes this text.
            out.print_object("receipt", std::move(about));
        } else {
            // The hash is taken over the response's own bytes.
            out.print(found->raw_text);
            out.say("this receipt is not signed: it shows integrity, not origin");
        }
        return exit_code::done;
    }
    const auto answer = with.run(with.client().verify_receipt(arguments.id, with.cancellable()));
    if (answer) {
        print_verification(out, *answer);
        return exit_code::done;
    }
    if (answer.error().kind == errc::verification_failed) {
        receipt_verification refused;
        refused.checks = answer.error().checks;
        refused.errors = answer.error().errors;
        print_verification(out, refused);
    }
    return give_up(out, answer.error());
}

}  // namespace vembed::cli
