#include "cli_aitbc/commands.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <vembed/aitbc/client.hpp>

#include "aitbc/wire/assumptions.hpp"
#include "cli_aitbc/job_report.hpp"
#include "cli_aitbc/product_output.hpp"
#include "cli_aitbc/session.hpp"
#include "cli_aitbc/waiting.hpp"
#include "cli_parts/command/listing.hpp"
#include "cli_parts/command/read_input.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

std::string estimates_of(const aitbc::submitted_job& submitted) {
    std::string text;
    if (submitted.estimated_cost) {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "%.6g", *submitted.estimated_cost);
        text += std::string(", estimated cost ") + number.data();
    }
    if (submitted.estimated_time_seconds && *submitted.estimated_time_seconds < 1e9) {
        text += ", estimated time " + text::short_duration(std::chrono::milliseconds(
                                          static_cast<std::int64_t>(1000 * *submitted.estimated_time_seconds)));
    }
    return text;
}

exit_code download(const command_context& context, aitbc_session& with, const std::string& id,
                   const std::string& file) {
    auto product = with.run(with.client().get_product(id, with.cancellable()));
    if (!product) {
        const error& f = product.error();
        // An id that is refused comes without a job; here the job has not ended.
        const bool too_early = f.kind == errc::invalid_argument && !f.job_id.empty();
        return give_up(context.out, too_early ? command_failure(f, exit_code::unfinished) : command_failure(f));
    }
    return write_product(context, with, id, std::move(*product), file);
}

void tell_submitted(console& out, const aitbc::submitted_job& submitted, bool waits) {
    if (out.json()) {
        out.print_object("job", submitted_object(submitted));
    } else if (!waits) {
        out.print(text::printable(submitted.job.id));
    }
    out.say("submitted job " + submitted.job.id + estimates_of(submitted) +
            (waits ? "" : "; next: vembed aitbc wait " + submitted.job.id));
}

exit_code submit(const command_context& context, aitbc_session& with, const aitbc_arguments& arguments,
                 aitbc::job_request request) {
    console& out = context.out;
    const auto submitted = with.run(with.client().submit(std::move(request), with.cancellable()));
    if (!submitted) {
        out.fail(submitted.error());
        if (submitted.error().kind == errc::outcome_unknown) {
            out.say(
                "the submission is in doubt: the job may exist and be charged. `vembed aitbc list` shows the newest "
                "jobs; the same command submits, and perhaps pays for, a second job");
        }
        return exit_code_of(submitted.error());
    }
    const std::string& id = submitted->job.id;
    tell_submitted(out, *submitted, arguments.wait);
    if (!arguments.wait) {
        return exit_code::done;
    }
    const exit_code ended = wait_for_jobs(context, with, {id}, std::chrono::seconds(0), told_at_end::nothing);
    return ended == exit_code::done ? download(context, with, id, arguments.file) : ended;
}

exit_code show_job(const command_context& context, const result<aitbc::job>& seen) {
    if (!seen) {
        return give_up(context.out, seen.error());
    }
    print_job(context.out, *seen);
    return exit_code::done;
}

exit_code cancel(const command_context& context, aitbc_session& with, const std::string& id) {
    const auto after = with.run(with.client().cancel_job(id, with.cancellable()));
    const exit_code code = show_job(context, after);
    if (after && !is_terminal(after->state)) {
        context.out.say("the service took the cancellation; the job has not ended yet. See: vembed aitbc status " + id);
    } else if (after && after->state != aitbc::job_state::cancelled) {
        context.out.say("the job had ended before: " + std::string(to_string(after->state)));
    }
    return code;
}

exit_code show_jobs(const command_context& context, const result<std::vector<aitbc::job>>& jobs) {
    if (!jobs) {
        return give_up(context.out, jobs.error());
    }
    print_list(context.out, "job", *jobs, job_object, job_table);
    return exit_code::done;
}

}  // namespace

exit_code run_aitbc(const command_context& context, const aitbc_arguments& arguments) {
    using verb = aitbc_arguments::verb;
    aitbc::job_request request = arguments.request;
    if (!arguments.input_file.empty()) {
        auto input = read_input(arguments.input_file, aitbc::assumed::body_bytes_max,
                                "the input is larger than the 10 MiB that a submission may have");
        if (!input) {
            return give_up(context.out, input.error());
        }
        request.input = std::move(*input);
    }
    auto open = aitbc_session::open(context, arguments);
    if (!open) {
        return give_up(context.out, open.error());
    }
    aitbc_session& with = **open;
    const std::string id = arguments.ids.empty() ? std::string() : arguments.ids.front();
    switch (arguments.what) {
        case verb::submit: return submit(context, with, arguments, std::move(request));
        case verb::status: return show_job(context, with.run(with.client().get_job(id, with.cancellable())));
        case verb::list: {
            aitbc::job_filter filter(arguments.state, arguments.jobs_max);
            return show_jobs(context, with.run(with.client().get_jobs(std::move(filter), with.cancellable())));
        }
        case verb::wait:
            return wait_for_jobs(context, with, arguments.ids, std::chrono::seconds(arguments.timeout_s),
                                 told_at_end::object);
        case verb::cancel: return cancel(context, with, id);
        case verb::download: return download(context, with, id, arguments.file);
        case verb::history:
            return show_jobs(context,
                             with.run(with.client().get_history(arguments.from, arguments.to, with.cancellable())));
    }
    return exit_code::error;
}

}  // namespace vembed::cli
