#include "client/jobs/embed.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "bulk/values/job_patience.hpp"
#include "cyberian/wire/job_request.hpp"
#include "policy/packing/packing.hpp"
#include "runtime/task_group.hpp"

namespace vembed::detail {
namespace {

// If a job's texts are larger, a lost request is noticed late and repeated slowly; the service documents no limit.
constexpr std::size_t job_bytes_max = 16 * 1024 * 1024;

// One matrix for all jobs. It is allocated when the first output tells its dimensions; then each job fills its part.
class shared_matrix {
public:
    explicit shared_matrix(std::uint64_t rows) : rows_(rows) {}

    result<std::span<float>> place(std::uint64_t first, std::uint64_t rows, std::uint64_t dimensions) {
        if (values.size() == 0) {
            constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Eigen::Index>::max()) / sizeof(float);
            if (dimensions > most / rows_) {
                return error(errc::response_too_large, "the embeddings do not fit into one matrix");
            }
            values.resize(static_cast<Eigen::Index>(rows_), static_cast<Eigen::Index>(dimensions));
        }
        if (static_cast<std::uint64_t>(values.cols()) != dimensions) {
            return error(errc::protocol, "one job's output has " + std::to_string(dimensions) +
                                             " dimensions, another's " + std::to_string(values.cols()));
        }
        return std::span<float>(values.data() + first * dimensions, rows * dimensions);
    }

    matrix values;

private:
    std::uint64_t rows_;
};

class job_rows final : public cyberian::rows_place {
public:
    job_rows(shared_matrix& all, std::uint64_t first) : all_(&all), first_(first) {}
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        return all_->place(first_, rows, dimensions);
    }

private:
    shared_matrix* all_;
    std::uint64_t first_;
};

class embed_state {
public:
    embed_state(std::shared_ptr<client_core> with, std::uint64_t rows) : core(std::move(with)), all_rows(rows) {}

    std::shared_ptr<client_core> core;
    shared_matrix all_rows;
    std::vector<embedded_job> jobs;
    std::optional<error> first_failure;
    std::uint64_t unanswered = 0;  ///< Submissions that may have become jobs.
    runtime::task_group* group = nullptr;
    monotonic_time deadline = no_deadline;

    void fail(const error& f) {
        unanswered += f.kind == errc::outcome_unknown ? 1 : 0;
        if (!first_failure) {
            first_failure = f;
            group->cancel();
        }
    }
};

// An accepted job is already charged. So if the service does not know it, or shows only a part of it, for a moment, it
// is asked again, and if a response breaks the contract or fails a check, it is read a second time.
class looks_at_job {
public:
    explicit looks_at_job(const client_core& core) : patience_(core.visible_within, bulk::job_standing::unjournalled) {}

    // When to look again after the error `why`; nothing if that is pointless or too late.
    std::optional<monotonic_time> next(const client_core& core, const error& why, bulk::look_stage stage,
                                       const offline_report& checks, monotonic_time deadline) {
        const bool incomplete = bulk::ranges_incomplete(checks.checks);
        if (bulk::fault_of(why, stage, incomplete) == bulk::job_fault::passing) {
            return std::nullopt;  // The pipeline has already tried again.
        }
        const monotonic_time now = core.env->now();
        const bulk::next_look look = patience_.after(why, stage, incomplete, now, core.env->random());
        const monotonic_time again = deadline_after(now, look.after.value_or(std::chrono::milliseconds(0)));
        return look.after && again < deadline ? std::optional(again) : std::nullopt;
    }

private:
    bulk::job_patience patience_;
};

asio::awaitable<result<job>> settle(embed_state* state, std::string id) {
    looks_at_job looks(*state->core);
    const offline_report no_checks;
    for (;;) {
        result<job> settled = co_await state->core->api->settle(id, state->deadline, std::chrono::seconds(0));
        if (settled) {
            co_return settled;
        }
        const error why = settled.error();
        const auto again = looks.next(*state->core, why, bulk::look_stage::settling, no_checks, state->deadline);
        if (!again) {
            co_return why;
        }
        const monotonic_time until = *again;
        const wait_outcome waited = co_await sleep_until(state->core->env, until);
        if (waited == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while a job was under way");
        }
    }
}

asio::awaitable<result<settled_job>> fetch(embed_state* state, settled_query query, std::uint64_t first_row) {
    looks_at_job looks(*state->core);
    for (;;) {
        job_rows place(state->all_rows, first_row);
        offline_report checks;
        settled_query same = query;
        result<settled_job> fetched = co_await fetch_settled_job(state->core->api, state->core->env, state->core->pins,
                                                                 std::move(same), &place, &checks, state->deadline);
        if (fetched) {
            co_return fetched;
        }
        const error why = fetched.error();
        const auto again = looks.next(*state->core, why, bulk::look_stage::fetching, checks, state->deadline);
        if (!again) {
            co_return why;
        }
        const monotonic_time until = *again;
        const wait_outcome waited = co_await sleep_until(state->core->env, until);
        if (waited == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while a job's output was fetched");
        }
    }
}

asio::awaitable<result<embedded_job>> run_job(embed_state* state, std::shared_ptr<const job_request> request,
                                              std::uint64_t first_row) {
    const std::shared_ptr<client_core> core = state->core;
    const std::uint64_t rows = request->inputs.size();
    result<cyberian::submission> submitted =
        co_await core->api->submit(request, admission::applicant(), state->deadline);
    if (!submitted) {
        co_return submitted.error();
    }
    result<job> settled = co_await settle(state, submitted->accepted.id);
    submitted->lease.end();
    if (!settled) {
        co_return settled.error();
    }
    settled_query query;
    query.job_id = settled->id;
    query.rows = rows;
    query.level = core->verify;
    query.inputs = std::shared_ptr<const std::vector<std::string>>(request, &request->inputs);
    query.model = request->model;
    result<settled_job> fetched = co_await fetch(state, std::move(query), first_row);
    if (!fetched) {
        co_return fetched.error();
    }
    co_await core->keep_pins(state->deadline);
    embedded_job done;
    done.job = std::move(*settled);
    done.results = std::move(fetched->results);
    done.receipt = std::move(fetched->receipt);
    done.verification = std::move(fetched->verification);
    done.checks = std::move(fetched->checks);
    done.first_row = first_row;
    done.row_count = rows;
    co_return done;
}

std::shared_ptr<const job_request> part_of(const job_request& whole, std::size_t first, std::size_t last) {
    auto part = std::make_shared<job_request>();
    part->model = whole.model;
    part->spec_yaml = whole.spec_yaml;
    part->inputs.assign(whole.inputs.begin() + static_cast<std::ptrdiff_t>(first),
                        whole.inputs.begin() + static_cast<std::ptrdiff_t>(last));
    return part;
}

// A job is halved if it exceeds a limit of the account that was not known.
asio::awaitable<void> run_job_into(embed_state* state, std::shared_ptr<const job_request> request,
                                   std::uint64_t first_row) {
    result<embedded_job> done = co_await run_job(state, request, first_row);
    const std::size_t rows = request->inputs.size();
    if (done) {
        state->jobs.push_back(std::move(*done));
    } else if (done.error().kind == errc::request_too_large && rows > 1 && !state->first_failure) {
        state->group->spawn(run_job_into(state, part_of(*request, 0, rows / 2), first_row));
        state->group->spawn(run_job_into(state, part_of(*request, rows / 2, rows), first_row + rows / 2));
    } else {
        state->fail(done.error());
    }
}

// How many inputs one job takes, by the account's limits and what is known of an input's cost.
std::size_t inputs_in_a_job(const client_core& core, const job_request& request) {
    policy::packing_limits limits;
    limits.rows = std::clamp<std::uint64_t>(core.limits.max_inputs.value_or(policy::inputs_max), 1, policy::inputs_max);
    limits.chunks = core.limits.max_chunks_per_request;
    limits.rows_per_chunk = core.api->rows_per_chunk(request.model.empty() ? request.spec_yaml : request.model);
    const std::uint64_t all = request.inputs.size();
    const std::uint64_t full = policy::rows_in_full_job(limits);
    // A second job is useless if it saves no chunk.
    const bool in_one = all <= limits.rows && (!limits.chunks || limits.rows_per_chunk == 0 ||
                                               policy::chunks_of(all, limits.rows_per_chunk) <= *limits.chunks);
    return static_cast<std::size_t>(in_one ? limits.rows : full);
}

// Splits the request and moves its texts.
std::vector<std::shared_ptr<const job_request>> make_jobs(job_request& whole, const std::vector<std::size_t>& starts) {
    std::vector<std::shared_ptr<const job_request>> jobs;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : whole.inputs.size();
        auto one = std::make_shared<job_request>();
        one->model = whole.model;
        one->spec_yaml = whole.spec_yaml;
        const auto first = whole.inputs.begin() + static_cast<std::ptrdiff_t>(starts[i]);
        const auto last = whole.inputs.begin() + static_cast<std::ptrdiff_t>(end);
        one->inputs.assign(std::make_move_iterator(first), std::make_move_iterator(last));
        jobs.push_back(std::move(one));
    }
    return jobs;
}

}  // namespace

std::vector<std::size_t> split_into_jobs(const std::vector<std::string>& inputs, std::size_t most_inputs,
                                         std::size_t most_bytes) {
    std::vector<std::size_t> starts;
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (count == 0 || count == most_inputs || bytes + inputs[i].size() > most_bytes) {
            starts.push_back(i);
            count = 0;
            bytes = 0;
        }
        ++count;
        bytes += inputs[i].size();
    }
    return starts;
}

asio::awaitable<result<embeddings>> embed(std::shared_ptr<client_core> core, std::shared_ptr<job_request> request,
                                          monotonic_time deadline) {
    const result<void> good = cyberian::check(*request, request->inputs.max_size());
    if (!good) {
        co_return good.error();
    }
    const result<void> learned = co_await core->learn_limits(deadline);
    if (!learned) {
        co_return learned.error();
    }
    const std::vector<std::size_t> starts =
        split_into_jobs(request->inputs, inputs_in_a_job(*core, *request), job_bytes_max);
    embed_state state(core, request->inputs.size());
    state.deadline = deadline;

    runtime::task_group group(core->executor, core->env);
    state.group = &group;
    std::vector<std::shared_ptr<const job_request>> jobs = make_jobs(*request, starts);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        group.spawn(run_job_into(&state, jobs[i], starts[i]));
    }
    const bool undisturbed = co_await group.join();
    if (!undisturbed && (!state.first_failure || state.first_failure->kind != errc::cancelled)) {
        state.first_failure = error(errc::cancelled, "cancelled while embedding");
    }
    if (state.first_failure) {
        if (state.unanswered > 0 && state.first_failure->kind != errc::outcome_unknown) {
            state.first_failure->message += "; " + std::to_string(state.unanswered) +
                                            " submissions were under way: their jobs may exist and be charged";
        }
        co_return *state.first_failure;
    }
    embeddings done;
    done.rows = std::move(state.all_rows.values);
    done.jobs = std::move(state.jobs);
    std::sort(done.jobs.begin(), done.jobs.end(),
              [](const embedded_job& a, const embedded_job& b) { return a.first_row < b.first_row; });
    co_return done;
}

}  // namespace vembed::detail
