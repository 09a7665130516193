#include "job_batch/run_batch.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/thrown.hpp"
#include "job_batch/job_folder.hpp"
#include "job_batch/requests.hpp"
#include "runtime/blocking_work.hpp"
#include "runtime/semaphore.hpp"
#include "runtime/task_group.hpp"

namespace vembed::job_batch {
namespace {

constexpr std::uint32_t refused_first_max = 10;
constexpr std::uint64_t fetches_at_once = 4;  // A job's product is held in memory.

bool is_refusal(errc kind) noexcept {
    return kind == errc::invalid_request || kind == errc::request_too_large || kind == errc::invalid_argument ||
           kind == errc::unknown_model;
}

job_end refused_end(const error& why) {
    job_end made;
    made.failed = true;
    made.about["state"] = "refused";
    made.about["error"] = why.message;
    return made;
}

// Everything of one run. It is used on one executor; the folder's work is done on the environment's worker thread.
class batch_run : public std::enable_shared_from_this<batch_run> {
public:
    batch_run(asio::any_io_executor on, std::shared_ptr<environment> with, std::shared_ptr<backend> service,
              job_batch_options chosen)
        : executor(std::move(on)),
          env(std::move(with)),
          by(std::move(service)),
          options(std::move(chosen)),
          submitter(executor, env),
          waits(executor, env),
          slots(executor, env, std::max<std::uint64_t>(options.jobs_at_once, 1)),
          fetches(executor, env, fetches_at_once),
          withdrawn(std::make_shared<admission::withdrawal>()) {}

    // The first error ends the run; what is under way is left to the next one.
    void end_by(const error& why) {
        if (!ended) {
            ended = true;
            report.ended_by = why;
            withdraw();
        }
    }
    void stop() {
        ended = true;
        withdraw();
    }
    // A request on its way to the service is not cut off, because it would be in doubt.
    void withdraw() {
        withdrawn->requested = true;
        by->recheck();
        waits.cancel();
    }

    void tell() {
        if (!options.progress || ended) {
            return;
        }
        try {
            options.progress(report);
        } catch (...) {
            end_by(thrown_failure("the progress callback"));
        }
    }

    asio::any_io_executor executor;
    std::shared_ptr<environment> env;
    std::shared_ptr<backend> by;
    job_batch_options options;
    requests lines;
    std::unique_ptr<job_folder> folder;
    job_batch_report report;
    runtime::task_group submitter;
    runtime::task_group waits;  ///< For jobs, and for what became of requests in doubt.
    runtime::semaphore slots;
    runtime::semaphore fetches;
    std::shared_ptr<admission::withdrawal> withdrawn;
    std::uint32_t refused_first = 0;
    bool any_accepted = false;
    bool ended = false;
};

using run_ptr = std::shared_ptr<batch_run>;

// Records each try of one request in the folder's journal.
class request_record final : public admission::send_record {
public:
    request_record(run_ptr of, std::uint64_t request) : run_(std::move(of)), request_(request) {}

    asio::awaitable<result<void>> about_to_send() override {
        std::function<result<void>()> work = [run = run_, at = request_, now = run_->env->wall_now()] {
            return run->folder->intend(at, now);
        };
        intended = true;
        return runtime::on_worker(run_->env, std::move(work));
    }

    asio::awaitable<result<void>> to_be_sent_again() override {
        std::function<result<void>()> work = [run = run_, at = request_] { return run->folder->forget(at); };
        intended = false;
        return runtime::on_worker(run_->env, std::move(work));
    }

    bool intended = false;

private:
    run_ptr run_;
    std::uint64_t request_;
};

asio::awaitable<void> keep_end(run_ptr run, std::uint64_t request, std::string job, job_end how) {
    const bool failed = how.failed;
    std::function<result<void>()> work = [run, request, job, how = std::move(how)] {
        return run->folder->end(request, run->lines.line_of(request), job, how);
    };
    const result<void> kept = co_await runtime::on_worker(run->env, std::move(work));
    if (!kept) {
        run->end_by(kept.error());
        co_return;
    }
    ++(failed ? run->report.failed : run->report.done);
    run->tell();
}

// Waits for a job and keeps what it made. The slot is given back when that is done.
asio::awaitable<void> finish_job(run_ptr run, std::uint64_t request, std::string job,
                                 std::shared_ptr<runtime::semaphore::permit> slot) {
    const result<void> waited = co_await run->by->wait(job);
    if (!waited) {
        run->end_by(waited.error());
        co_return;
    }
    runtime::semaphore::permit fetching;
    const bool acquired = co_await run->fetches.acquire(&fetching);
    if (!acquired) {
        co_return;
    }
    std::string name = job_folder::file_stem(run->lines.line_of(request));
    result<job_end> ended = co_await run->by->fetch(job, run->folder->files_folder(), std::move(name));
    if (!ended) {
        run->end_by(ended.error());
        co_return;
    }
    --run->report.under_way;
    co_await keep_end(run, request, std::move(job), std::move(*ended));
    slot->release();
}

void begin_finishing(const run_ptr& run, std::uint64_t request, std::string job,
                     std::shared_ptr<runtime::semaphore::permit> slot) {
    run->waits.spawn(finish_job(run, request, std::move(job), std::move(slot)));
}

asio::awaitable<void> take_accepted(run_ptr run, std::uint64_t request, std::string job,
                                    std::shared_ptr<runtime::semaphore::permit> slot) {
    std::function<result<void>()> work = [run, request, job] { return run->folder->accept(request, job); };
    const result<void> kept = co_await runtime::on_worker(run->env, std::move(work));
    if (!kept) {
        run->end_by(kept.error());
        co_return;
    }
    run->any_accepted = true;
    ++run->report.under_way;
    begin_finishing(run, request, std::move(job), std::move(slot));
    run->tell();
}

asio::awaitable<void> leave_in_doubt(run_ptr run, std::uint64_t request, std::string why) {
    run->report.in_doubt.emplace_back(run->lines.line_of(request), std::move(why));
    std::function<result<void>()> work = [run, request] { return run->folder->doubt(request); };
    const result<void> kept = co_await runtime::on_worker(run->env, std::move(work));
    if (!kept) {
        run->end_by(kept.error());
    }
    run->tell();
}

// What was refused was certainly not accepted.
asio::awaitable<void> take_refusal(run_ptr run, std::uint64_t request, error why, bool intended) {
    const bool hopeless = !run->any_accepted && is_refusal(why.kind) && ++run->refused_first >= refused_first_max;
    if (is_refusal(why.kind)) {
        co_await keep_end(run, request, std::string(), refused_end(why));
        if (hopeless) {
            why.message = "the first " + std::to_string(refused_first_max) +
                          " requests were refused, so the rest would be: " + why.message;
            run->end_by(why);
        }
        co_return;
    }
    if (intended) {
        std::function<result<void>()> work = [run, request] { return run->folder->forget(request); };
        const result<void> undone = co_await runtime::on_worker(run->env, std::move(work));
        if (!undone) {
            run->end_by(undone.error());
        }
    }
    run->end_by(why);
}

asio::awaitable<void> submit_one(run_ptr run, std::uint64_t request, std::shared_ptr<runtime::semaphore::permit> slot) {
    result<std::string> text = run->lines.text(request);
    if (!text) {
        run->end_by(text.error());
        co_return;
    }
    request_record record(run, request);
    admission::applicant who(admission::priority::bulk, run->withdrawn);
    who.record = &record;
    result<std::string> job = co_await run->by->submit(std::move(*text), std::move(who));
    if (job) {
        co_await take_accepted(run, request, std::move(*job), std::move(slot));
    } else if (job.error().kind == errc::outcome_unknown) {
        co_await leave_in_doubt(run, request, job.error().message);
    } else {
        co_await take_refusal(run, request, job.error(), record.intended);
    }
}

asio::awaitable<void> resolve_doubt(run_ptr run, std::uint64_t request,
                                    std::shared_ptr<runtime::semaphore::permit> slot) {
    if (run->ended) {
        co_return;
    }
    result<std::string> text = run->lines.text(request);
    if (!text) {
        run->end_by(text.error());
        co_return;
    }
    const wall_time sent_at = run->folder->sent_at(request);
    result<std::string> job = co_await run->by->find_lost(std::move(*text), sent_at);
    if (job) {
        co_await take_accepted(run, request, std::move(*job), std::move(slot));
    } else {
        co_await leave_in_doubt(run, request, job.error().message);
    }
}

// One request after the other; each takes a slot until its job has ended.
asio::awaitable<void> submit_all(run_ptr run, request_state which) {
    const std::vector<request_state> states = run->folder->states();
    std::uint64_t to_come = static_cast<std::uint64_t>(std::ranges::count(states, request_state::open));
    for (std::uint64_t i = 0; i < states.size() && !run->ended; ++i) {
        if (states[i] != which) {
            continue;
        }
        auto slot = std::make_shared<runtime::semaphore::permit>();
        const bool acquired = co_await run->slots.acquire(slot.get());
        if (!acquired || run->ended) {
            co_return;
        }
        run->by->expect(to_come);
        if (which == request_state::open) {
            --to_come;
            co_await submit_one(run, i, std::move(slot));
        } else if (which == request_state::in_doubt) {
            co_await resolve_doubt(run, i, std::move(slot));
        } else {
            std::string job = run->folder->job_of(i);
            begin_finishing(run, i, std::move(job), std::move(slot));
        }
    }
    run->by->expect(0);
}

// Jobs of earlier runs first: they are paid for.
asio::awaitable<void> do_all(run_ptr run) {
    co_await submit_all(run, request_state::accepted);
    co_await submit_all(run, request_state::in_doubt);
    co_await submit_all(run, request_state::open);
}

result<void> open_all(const run_ptr& run, const std::string& requests_path, const std::string& folder) {
    auto lines = requests::open(requests_path, *run->by);
    if (!lines) {
        return lines.error();
    }
    run->lines = std::move(*lines);
    auto opened = job_folder::open(folder, run->lines, *run->by);
    if (!opened) {
        return opened.error();
    }
    run->folder = std::move(*opened);
    return {};
}

void count_prior(batch_run& run) {
    const std::vector<request_state>& states = run.folder->states();
    run.report.jobs = states.size();
    run.report.done = static_cast<std::uint64_t>(std::ranges::count(states, request_state::done));
    run.report.under_way = static_cast<std::uint64_t>(std::ranges::count(states, request_state::accepted));
    run.report.failed = static_cast<std::uint64_t>(std::ranges::count(states, request_state::failed));
    for (const std::string& job : run.folder->ended_jobs()) {
        run.by->know(job);
    }
    for (std::uint64_t i = 0; i < states.size(); ++i) {
        if (states[i] == request_state::accepted) {
            run.any_accepted = true;
            run.by->know(run.folder->job_of(i));
        }
    }
}

// Requests in doubt that this run did not come to.
void name_doubts(batch_run& run) {
    const std::vector<request_state>& states = run.folder->states();
    for (std::uint64_t i = 0; i < states.size(); ++i) {
        if (states[i] != request_state::in_doubt) {
            continue;
        }
        const std::uint64_t line = run.lines.line_of(i);
        if (std::ranges::find(run.report.in_doubt, line, &job_in_doubt::line) == run.report.in_doubt.end()) {
            run.report.in_doubt.emplace_back(line, "the run ended before its job was looked for");
        }
    }
}

}  // namespace

asio::awaitable<result<job_batch_report>> run_batch(asio::any_io_executor executor, std::shared_ptr<environment> env,
                                                    std::shared_ptr<backend> by, std::string requests_path,
                                                    std::string folder, job_batch_options options) {
    const auto run = std::make_shared<batch_run>(executor, env, std::move(by), std::move(options));
    std::function<result<void>()> opening = [run, requests_path, folder] {
        return open_all(run, requests_path, folder);
    };
    const result<void> opened = co_await runtime::on_worker(run->env, std::move(opening));
    if (!opened) {
        co_return opened.error();
    }
    count_prior(*run);
    run->tell();
    const auto stop = [weak = std::weak_ptr(run)] {
        if (const run_ptr alive = weak.lock()) {
            asio::post(alive->executor, [alive] { alive->stop(); });
        }
    };
    const std::stop_callback<decltype(stop)> on_stop(run->options.stop, stop);
    run->submitter.spawn(do_all(run));
    const bool submitted = co_await run->submitter.join();
    if (!submitted) {
        run->stop();
    }
    const bool waited = co_await run->waits.join();
    const bool whole = submitted && waited;
    name_doubts(*run);
    std::function<result<void>()> publishing = [run] { return run->folder->publish(run->lines, *run->by); };
    const result<void> published = co_await runtime::on_worker(run->env, std::move(publishing));
    if (!published) {
        co_return published.error();
    }
    if (!whole) {
        co_return error(errc::cancelled, "the batch was cancelled; the same call goes on with it");
    }
    co_return run->report;
}

}  // namespace vembed::job_batch
