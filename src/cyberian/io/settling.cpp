#include "cyberian/io/settling.hpp"

#include <algorithm>

#include "core/with_job.hpp"
#include "cyberian/io/endpoints.hpp"
#include "policy/input/body_text.hpp"
#include "policy/retry/poll_pace.hpp"

namespace vembed::cyberian {
namespace {

bool is_page(const error& why) noexcept {
    const bool may_pass = why.kind == errc::protocol || (why.kind == errc::api && why.code.empty() &&
                                                         (why.http_status == 404 || why.http_status == 409));
    return may_pass && !policy::body_text(why.raw_body).starts_with('{');
}

error job_failed(const job& ended, const result<job_results>& results) {
    error f(errc::job_failed, "the job ended FAILED: one or more chunks did not verify");
    f.job_id = ended.id;
    if (!results) {
        f.message += " (which ones is not known: " + results.error().message + ")";
        return f;
    }
    for (const chunk_result& chunk : results->chunks) {
        if (chunk.status != "VERIFIED") {
            failed_chunk& bad = f.failed_chunks.emplace_back();
            bad.chunk_index = chunk.chunk_index;
            bad.row_start = chunk.row_start;
            bad.row_end = chunk.row_end;
            bad.status = chunk.status;
        }
    }
    return f;
}

}  // namespace

bool page_patience::allows(const error& why, monotonic_time now) {
    if (!is_page(why)) {
        return false;
    }
    since_ = since_.value_or(now);
    return now - *since_ < patience_;
}

asio::awaitable<result<job>> endpoints::settle(std::string id, monotonic_time deadline,
                                               std::chrono::seconds pages_at_first) {
    const std::shared_ptr<environment>& env = through_->env();
    policy::poll_pace pace;
    page_patience pages(pages_at_first);
    for (;;) {
        const monotonic_time asked_at = env->now();
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline - asked_at);
        result<job> seen = co_await wait_job(id, left, deadline);
        if (!seen && (!pages.allows(seen.error(), env->now()) || env->now() >= deadline)) {
            co_return with_job(seen.error(), id);
        }
        if (seen) {
            pages.forget();
        }
        const job_status status = seen ? seen->status : job_status::unknown;
        const std::string state = seen ? seen->status_text : std::string();
        if (status == job_status::settled) {
            co_return seen;
        }
        if (status == job_status::failed) {
            const result<job_results> chunks = co_await results(id, deadline);
            co_return job_failed(*seen, chunks);
        }
        if (status == job_status::refunded) {
            co_return with_job(error(errc::job_refunded, "the job was refunded: it has no output"), id);
        }
        if (env->now() >= deadline) {
            co_return with_job(error(errc::timeout, "the job did not settle in time; its state is " + state +
                                                        ". It may still settle: ask for it again by its id"),
                               id);
        }
        const monotonic_time soonest = deadline_after(asked_at, pace.after(state, env->now() - asked_at));
        const monotonic_time next = std::min(soonest, deadline);
        const wait_outcome waited = co_await sleep_until(env, next);
        if (waited == wait_outcome::cancelled) {
            co_return with_job(error(errc::cancelled, "cancelled while the job was under way"), id);
        }
    }
}

}  // namespace vembed::cyberian
