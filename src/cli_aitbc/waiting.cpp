#include "cli_aitbc/waiting.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <vembed/aitbc/client.hpp>

#include "aitbc/wire/codec.hpp"
#include "cli_aitbc/job_report.hpp"
#include "cli_parts/failure_json.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

// The jobs of one command while they are waited for. It is used on the command's loop only.
class waited_jobs {
public:
    waited_jobs(console& out, command_loop& loop, std::size_t jobs, told_at_end at_end)
        : out_(&out), loop_(&loop), jobs_(jobs), at_end_(at_end) {}

    void seen(const aitbc::job& one) {
        if (is_terminal(one.state)) {
            return;
        }
        words_[one.id] = one.state_text;
        if (one.state == aitbc::job_state::unknown) {
            out_->warn("job " + one.id + " is in the state \"" + one.state_text +
                       "\", which this version does not know; it is waited for all the same");
        }
        if (out_->json()) {
            out_->print_object("progress", job_object(one));
        }
        out_->show_progress(waiting_line(words_, ended_, jobs_));
    }

    void ended(const std::string& id, const result<aitbc::job>& with) {
        ++ended_;
        words_.erase(id);
        if (with) {
            tell_completed(*with);
        } else {
            tell_error(id, with.error());
        }
        if (ended_ == jobs_) {
            loop_->end();
        }
    }

    /// Says how to go on, if jobs are left. The command's status.
    [[nodiscard]] exit_code finish() const {
        if (!left_.empty()) {
            std::string command = "vembed aitbc wait";
            for (const std::string& id : left_) {
                command += " " + id;
            }
            out_->warn(
                (left_.size() == 1 ? "the job goes on; wait again with: " : "the jobs go on; wait again with: ") +
                command);
        }
        return code_;
    }

private:
    void tell_completed(const aitbc::job& one) {
        if (at_end_ == told_at_end::nothing) {
            return;
        }
        if (out_->json()) {
            out_->print_object("job", job_object(one));
        } else {
            out_->print(text::printable(one.id) + "\tcompleted");
        }
    }

    void tell_error(const std::string& id, const error& why) {
        const bool goes_on = why.kind == errc::cancelled || why.kind == errc::timeout;
        code_ = worse_of(code_, goes_on ? exit_code::unfinished : exit_code_of(why));
        if (!goes_on) {
            const char* const state = why.kind == errc::job_failed      ? "failed"
                                      : why.kind == errc::job_cancelled ? "cancelled"
                                      : why.kind == errc::job_expired   ? "expired"
                                                                        : "";
            if (*state != '\0' && at_end_ == told_at_end::job && !out_->json()) {
                out_->print(text::printable(id) + "\t" + state);
            }
            out_->fail(why);
            return;
        }
        left_.push_back(id);
        if (out_->json()) {
            out_->print_object("failure", failure_object(why));
        }
    }

    console* out_;
    command_loop* loop_;
    std::size_t jobs_;
    told_at_end at_end_;
    std::size_t ended_ = 0;
    std::map<std::string, std::string> words_;
    std::vector<std::string> left_;
    exit_code code_ = exit_code::done;
};

// Drops ids that were given before, in place.
void drop_repeated(std::vector<std::string>& ids) {
    std::set<std::string> before;
    std::erase_if(ids, [&before](const std::string& id) { return !before.insert(id).second; });
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
    const auto jobs = std::make_shared<waited_jobs>(context.out, with.loop(), ids.size(), at_end);
    if (ids.size() == 1 && at_end == told_at_end::job) {
        const auto before = ended_before(with, ids.front());
        if (before) {
            jobs->ended(ids.front(), *before);
            return jobs->finish();
        }
    }
    for (const std::string& id : ids) {
        with.client()
            .wait_job(
                id, [jobs](const aitbc::job& one) { jobs->seen(one); }, options)
            .start([jobs, id](result<aitbc::job> ended) { jobs->ended(id, ended); });
    }
    with.loop().run_until_end();
    return jobs->finish();
}

}  // namespace vembed::cli
