#include "cli_aitbc/waiting.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <vembed/aitbc/client.hpp>

#include "aitbc/wire/codec.hpp"
#include "cli_aitbc/job_report.hpp"

namespace vembed::cli {
namespace {

void tell_seen(console& out, wait_report& report, const aitbc::job& one) {
    if (is_terminal(one.state)) {
        return;
    }
    if (one.state == aitbc::job_state::unknown) {
        out.warn("job " + one.id + " is in the state \"" + one.state_text +
                 "\", which this version does not know; it is waited for all the same");
    }
    report.seen(one.id, standing(one.state_text), job_object(one));
}

void tell_end(wait_report& report, const std::string& id, const result<aitbc::job>& end) {
    if (end) {
        report.completed(id, job_object(*end));
    } else {
        report.failed(id, end.error());
    }
}

// What the job is already, if that ends the wait. The first poll of a wait comes seconds later.
std::optional<result<aitbc::job>> ended_before(aitbc_session& with, const std::string& id) {
    const result<aitbc::job> seen = with.run(with.client().get_job(id, with.cancellable()));
    if (!seen) {
        // A new job may not show yet.
        return seen.error().kind == errc::not_found ? std::nullopt : std::optional(seen);
    }
    if (!is_terminal(seen->state)) {
        return std::nullopt;
    }
    return seen->state == aitbc::job_state::completed ? seen : result<aitbc::job>(aitbc::outcome_error(*seen));
}

}  // namespace

exit_code wait_for_jobs(const command_context& context, aitbc_session& with, std::vector<std::string> ids,
                        std::chrono::seconds timeout, told_at_end at_end) {
    drop_repeated(ids);
    call_options options = with.cancellable();
    if (timeout.count() > 0) {
        options.timeout = timeout;
    }
    // The callbacks may be called once more while the client ends, so they share what they use.
    const auto report = std::make_shared<wait_report>(context.out, with.loop(), wait_terms("job", "vembed aitbc wait"),
                                                      ids.size(), at_end);
    if (ids.size() == 1 && at_end == told_at_end::object) {
        const auto before = ended_before(with, ids.front());
        if (before) {
            tell_end(*report, ids.front(), *before);
            return report->finish();
        }
    }
    for (const std::string& id : ids) {
        with.client()
            .wait_job(
                id, [report, &out = context.out](const aitbc::job& one) { tell_seen(out, *report, one); }, options)
            .start([report, id](result<aitbc::job> end) { tell_end(*report, id, end); });
    }
    with.loop().run_until_end();
    return report->finish();
}

}  // namespace vembed::cli
