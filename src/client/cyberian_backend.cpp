#include "client/cyberian_backend.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "policy/input_rules.hpp"

namespace vembed::detail {
namespace {

// Grows a buffer that is used again and again to what an output needs.
class vector_place final : public cyberian::rows_place {
public:
    explicit vector_place(std::vector<float>& values) : values_(&values) {}
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        values_->resize(static_cast<std::size_t>(rows * dimensions));
        return std::span<float>(*values_);
    }

private:
    std::vector<float>* values_;
};

// Whether the job is no longer in flight; a fault on the way says nothing about it.
bool is_final(const result<job>& settled) noexcept {
    if (settled) {
        return true;
    }
    const errc kind = settled.error().kind;
    return kind == errc::job_failed || kind == errc::job_refunded || kind == errc::not_found;
}

}  // namespace

cyberian_backend::cyberian_backend(std::shared_ptr<client_core> core, std::string model, std::string spec_yaml)
    : core_(std::move(core)), model_(std::move(model)), spec_yaml_(std::move(spec_yaml)) {
    applicant_ = admission::applicant(admission::priority::bulk, withdrawal_);
}

asio::awaitable<result<bulk::job_limits>> cyberian_backend::limits(monotonic_time deadline) {
    const result<void> learned = co_await core_->learn_limits(deadline);
    if (!learned) {
        co_return learned.error();
    }
    bulk::job_limits allowed;
    allowed.max_inputs =
        std::clamp<std::uint64_t>(core_->limits.max_inputs.value_or(policy::inputs_max), 1, policy::inputs_max);
    allowed.max_chunks_per_request = core_->limits.max_chunks_per_request;
    co_return allowed;
}

asio::awaitable<result<bulk::submitted_job>> cyberian_backend::submit(
    std::shared_ptr<const std::vector<std::string>> texts, monotonic_time deadline) {
    cyberian::request_view request;
    request.model = model_;
    request.spec_yaml = spec_yaml_;
    request.inputs = *texts;
    result<cyberian::submission> submitted =
        co_await core_->api->submit(std::move(texts), request, applicant_, deadline);
    if (!submitted) {
        co_return submitted.error();
    }
    bulk::submitted_job accepted;
    accepted.id = submitted->accepted.id;
    accepted.chunks = submitted->accepted.chunk_count;
    leases_.insert_or_assign(accepted.id, std::move(submitted->lease));
    co_return accepted;
}

asio::awaitable<result<void>> cyberian_backend::settle(std::string job_id, monotonic_time deadline) {
    const result<job> settled = co_await core_->api->settle(job_id, deadline);
    if (is_final(settled)) {
        leases_.erase(job_id);
    }
    if (!settled) {
        co_return settled.error();
    }
    co_return result<void>();
}

asio::awaitable<result<bulk::fetched_job>> cyberian_backend::fetch(std::string job_id, std::uint64_t rows,
                                                                   verify_level level, std::vector<float> values,
                                                                   monotonic_time deadline) {
    bulk::fetched_job fetched;
    fetched.values = std::move(values);
    vector_place place(fetched.values);
    const result<settled_job> settled =
        co_await fetch_settled_job(core_->api, core_->env, core_->pin, job_id, rows, &place, level, deadline);
    if (!settled) {
        co_return settled.error();
    }
    fetched.dimensions = settled->dimensions;
    fetched.chunks_sampled = settled->chunks_sampled;
    fetched.proof.job_id = job_id;
    fetched.proof.results_json = boost::json::serialize(settled->results.raw);
    fetched.proof.receipt_json = settled->receipt.raw_text;
    if (!settled->verification.raw.is_null()) {
        fetched.proof.verification_json = boost::json::serialize(settled->verification.raw);
    }
    co_return fetched;
}

std::uint64_t cyberian_backend::estimate_chunks(std::uint64_t rows) const {
    return core_->api->estimate_chunks(model_.empty() ? spec_yaml_ : model_, rows);
}

std::uint64_t cyberian_backend::chunks_at_most(std::uint64_t rows) const {
    return core_->api->chunks_at_most(model_.empty() ? spec_yaml_ : model_, rows);
}

void cyberian_backend::stop_submitting() {
    withdrawal_->requested = true;
    core_->gate->recheck();
}

void cyberian_backend::describe_gate(progress& into) const {
    admission::gate_statistics seen = core_->gate->statistics();
    into.pauses = seen.pauses;
    into.paused = seen.paused;
    into.limited_by = std::move(seen.limited_by);
}

}  // namespace vembed::detail
