#include "aitbc/io/submitting.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/codec.hpp"
#include "aitbc/wire/job_request.hpp"
#include "http/submission.hpp"
#include "policy/input/path_segment.hpp"
#include "policy/retry/in_doubt.hpp"

namespace vembed::aitbc {
namespace {

// Ids that are remembered. More jobs than that are not made within the time in which a lost one is looked for.
constexpr std::size_t known_max = 100'000;

error in_doubt(const submit_verdict& verdict, std::string_view why) {
    return policy::in_doubt_error(why, verdict.reason, verdict.ids);
}

}  // namespace

// A submission between its sending and its response. It stays in `open_` if it ends in doubt.
class submitting::open_entry {
public:
    open_entry(submitting& in, lost_submit as) : in_(&in), number_(in.next_++) {
        in.open_.emplace(number_, std::move(as));
        in.in_flight_.insert(number_);
    }
    open_entry(const open_entry&) = delete;
    open_entry& operator=(const open_entry&) = delete;
    ~open_entry() {
        lost(in_->env_->wall_now());
        if (!in_doubt_) {
            in_->open_.erase(number_);
        }
    }

    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] const lost_submit& as() const { return in_->open_.at(number_); }
    /// There will be no response.
    void lost(wall_time at) {
        if (in_->in_flight_.erase(number_) > 0) {
            in_->open_.at(number_).lost_at = at;
            in_->responded_.wake_all();
        }
    }
    void keep_in_doubt() noexcept { in_doubt_ = true; }
    void found() noexcept { in_doubt_ = false; }

private:
    submitting* in_;
    std::uint64_t number_;
    bool in_doubt_ = false;
};

submitting::submitting(asio::any_io_executor executor, std::shared_ptr<endpoints> api)
    : api_(std::move(api)), env_(api_->through()->env()), responded_(std::move(executor), env_) {}

void submitting::know(const std::string& id) {
    if (!known_.insert(id).second) {
        return;
    }
    known_in_order_.push_back(id);
    if (known_in_order_.size() > known_max) {
        known_.erase(known_in_order_.front());
        known_in_order_.pop_front();
    }
}

lost_submit submitting::shown_as(const job_request& request) const {
    lost_submit as;
    as.model = request.model;
    if (api_->asked_in() == dialect::coordinator) {
        as.payload = payload_of(request);
    }
    return as;
}

std::vector<lost_submit> submitting::others(std::uint64_t but) const {
    std::vector<lost_submit> all;
    for (const auto& [number, one] : open_) {
        if (number != but) {
            all.push_back(one);
            all.back().lost_at = in_flight_.contains(number) ? env_->wall_now() : one.lost_at;
        }
    }
    return all;
}

// A list may show the jobs of submissions whose response is still on its way.
asio::awaitable<bool> submitting::wait_for_others(std::uint64_t begun_before, monotonic_time deadline) {
    runtime::wait_queue::place place(responded_);
    while (!in_flight_.empty() && *in_flight_.begin() < begun_before) {
        const wait_outcome waited = co_await place.wait_until(deadline);
        if (waited != wait_outcome::woken) {
            co_return waited == wait_outcome::expired;
        }
    }
    co_return true;
}

asio::awaitable<std::optional<error>> submitting::ask_jobs(submit_evidence* seen, std::vector<std::string> ids,
                                                           monotonic_time deadline) {
    for (const std::string& id : ids) {
        const result<job> full = co_await api_->get_job(id, deadline);
        if (!full && full.error().kind != errc::not_found) {
            co_return full.error();
        }
        seen->asked.insert(id);
        for (job& listed : seen->jobs) {
            if (full && listed.id == id) {
                listed = with_details(listed, *full);
            }
        }
    }
    co_return std::nullopt;
}

asio::awaitable<result<submit_verdict>> submitting::look(const lost_submit* lost, std::uint64_t self,
                                                         monotonic_time deadline) {
    submit_evidence seen;
    list_query query;
    std::uint64_t pages = 0;
    for (bool next_page = true;;) {
        if (next_page) {
            const std::uint64_t begun_before = next_;
            result<job_page> page = co_await api_->get_page(query, admission::call_rank::interactive, deadline);
            if (!page) {
                co_return page.error();
            }
            const bool waited = co_await wait_for_others(begun_before, deadline);
            if (!waited) {
                co_return error(errc::cancelled, "cancelled while a lost submission was looked for");
            }
            ++pages;
            query.offset += page->jobs.size() + page->unreadable;
            seen.more = page->more && !page->jobs.empty() && pages < assumed::pages_max;
            std::ranges::move(page->jobs, std::back_inserter(seen.jobs));
        }
        seen.known = known_;
        seen.others = others(self);
        submit_verdict verdict = reconcile_submit(*lost, seen);
        next_page = verdict.what == submit_verdict::kind::next_page;
        if (verdict.what == submit_verdict::kind::ask_jobs) {
            std::optional<error> failed = co_await ask_jobs(&seen, std::move(verdict.ids), deadline);
            if (failed) {
                co_return *failed;
            }
        } else if (!next_page) {
            co_return verdict;
        }
    }
}

asio::awaitable<result<submitted_job>> submitting::find_lost(lost_submit lost, monotonic_time deadline) {
    open_entry entry(*this, lost);
    entry.lost(lost.lost_at);
    entry.keep_in_doubt();
    const auto since = env_->wall_now() - lost.lost_at;
    const auto stale = std::max<wall_time::duration>(assumed::list_stale_max - since, std::chrono::seconds(0));
    const monotonic_time readable = deadline_after(env_->now(), stale);
    const std::string why = "the response to the submission was lost or cannot be read";
    if (readable >= deadline) {
        submit_verdict early;
        early.reason = "the deadline comes before the list of jobs is sure to show it";
        co_return in_doubt(early, why);
    }
    const wait_outcome waited = co_await sleep_until(env_, readable);
    if (waited == wait_outcome::cancelled) {
        submit_verdict early;
        early.reason = "the call was cancelled before the list of jobs was read";
        co_return in_doubt(early, why);
    }
    const result<submit_verdict> verdict = co_await look(&entry.as(), entry.number(), deadline);
    if (!verdict) {
        submit_verdict unread;
        unread.reason = "the list of jobs could not be read (" + verdict.error().message + ")";
        co_return in_doubt(unread, why);
    }
    if (verdict->what != submit_verdict::kind::found) {
        co_return in_doubt(*verdict, why);
    }
    entry.found();
    know(verdict->ids.front());
    env_->log(log_level::info, "lost_submission_found", {log_field("job", verdict->ids.front())});
    submitted_job made;
    made.job.id = verdict->ids.front();
    co_return made;
}

asio::awaitable<result<submitted_job>> submitting::submit(std::shared_ptr<const job_request> request,
                                                          admission::applicant who, monotonic_time deadline) {
    result<std::string> body = write_job_body(*request, api_->asked_in());
    if (!body) {
        co_return body.error();
    }
    lost_submit as = shown_as(*request);
    {
        std::optional<open_entry> entry;
        http::submission_call what;
        what.make = [this, &as, &entry, &body, deadline] {
            as.sent_at = env_->wall_now();
            entry.emplace(*this, as);
            return api_->submission_of(*body, deadline);
        };
        result<http::sent_submission> made =
            co_await http::submit(api_->through(), std::move(what), std::move(who), deadline);
        if (!made) {
            co_return made.error();
        }
        const bool accepted = made->sent.outcome == policy::post_outcome::accepted;
        if (!accepted && made->sent.outcome != policy::post_outcome::unknown) {
            co_return *made->sent.error;
        }
        if (accepted) {
            made->lease.settle(0);
            made->lease.end();
            result<submitted_job> read = read_submitted(made->sent.accepted.body);
            if (read && policy::encode_path_segment(read->job.id)) {
                know(read->job.id);
                co_return read;
            }
        }
        as.lost_at = env_->wall_now();
    }
    co_return co_await find_lost(std::move(as), deadline);
}

}  // namespace vembed::aitbc
