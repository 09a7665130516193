#include "client/jobs/cyberian_backend.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "client/account/catalog.hpp"
#include "client/account/chunk_sizes.hpp"
#include "policy/input/input_rules.hpp"

namespace vembed::detail {
namespace {

// The longest wait for the catalog. It only tells a model's dimensions, which is not worth a longer wait.
constexpr std::chrono::seconds catalog_patience{10};
constexpr std::string_view service_check = "service_check";
// The checks that show to which texts a job belongs.
const std::string proves_inputs[] = {"receipt_job", "inputs_root"};

// Resizes a reused buffer to the size of an output.
class vector_place final : public cyberian::rows_place {
public:
    vector_place(std::vector<float>& values, std::uint64_t expected) : values_(&values), expected_(expected) {}
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        values_->resize(static_cast<std::size_t>(rows * dimensions));
        return std::span<float>(*values_);
    }

    [[nodiscard]] std::uint64_t dimensions_expected() const override { return expected_; }

private:
    std::vector<float>* values_;
    std::uint64_t expected_;
};

// Whether the job is no longer in flight; a network error says nothing about that.
bool is_final(const result<job>& settled) noexcept {
    if (settled) {
        return true;
    }
    const errc kind = settled.error().kind;
    return kind == errc::job_failed || kind == errc::job_refunded;
}

// Whether a check is used at `level`. The checks for a changed model belong to the run, not to one job.
bool is_asked_for(std::string_view name, verify_level level) noexcept {
    if (level < verify_level::offline) {
        return name == "results_job" || name == "ranges" || name == "output_shape" || name == "output_commitment";
    }
    return name != "specification" && name != "origin";
}

// The checks that the level asked for, plus the service's own verification of its receipt.
std::vector<offline_check> asked_for(offline_report made, const result<settled_job>& settled, verify_level level) {
    std::vector<offline_check> checks = std::move(made.checks);
    std::erase_if(checks, [level](const offline_check& check) { return !is_asked_for(check.name, level); });
    const bool refused = !settled && settled.error().kind == errc::verification_failed &&
                         (!settled.error().checks.empty() || !settled.error().errors.empty());
    if (level >= verify_level::receipt && (settled || refused)) {
        checks.emplace_back(service_check, settled ? check_verdict::verified : check_verdict::failed,
                            check_basis::specified,
                            settled ? "the service says that the receipt is valid" : settled.error().message);
    }
    return checks;
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
    allowed.jobs_at_once = core_->over->exchanges_at_once();
    co_await learn_dimensions(deadline);
    allowed.dimensions = dimensions_;
    std::string key = chunk_size_key(core_->base_url, model_, spec_yaml_);
    chunk_size_kept_ = co_await core_->remembered_chunk_size(std::move(key), deadline);
    allowed.rows_per_chunk = chunk_size_kept_.rows;
    allowed.rows_per_chunk_whole = chunk_size_kept_.is_whole;
    co_return allowed;
}

asio::awaitable<result<bulk::submitted_job>> cyberian_backend::submit(
    std::shared_ptr<const std::vector<std::string>> texts, admission::send_record* record, monotonic_time deadline) {
    if (no_such_model_) {
        co_return *no_such_model_;
    }
    admission::applicant applicant = applicant_;
    applicant.record = record;
    cyberian::request_view request;
    request.model = model_;
    request.spec_yaml = spec_yaml_;
    request.inputs = *texts;
    result<cyberian::submission> submitted =
        co_await core_->api->submit(std::move(texts), request, std::move(applicant), deadline);
    if (!submitted) {
        co_return submitted.error();
    }
    bulk::submitted_job accepted;
    accepted.id = submitted->accepted.id;
    accepted.chunks = submitted->accepted.chunk_count;
    accepted.chunks_said = submitted->chunks_said;
    leases_.insert_or_assign(accepted.id, std::move(submitted->lease));
    co_return accepted;
}

std::chrono::seconds cyberian_backend::sending_max() const {
    return core_->api->through()->try_timeout();
}

asio::awaitable<result<void>> cyberian_backend::settle(std::string job_id, monotonic_time deadline) {
    const result<job> settled = co_await core_->api->settle(job_id, deadline, std::chrono::seconds(0));
    if (is_final(settled)) {
        leases_.erase(job_id);
    }
    if (!settled) {
        co_return settled.error();
    }
    co_return result<void>();
}

// Reads the model's dimensions from the catalog. If it cannot be read, the first job's output tells them.
asio::awaitable<void> cyberian_backend::learn_dimensions(monotonic_time deadline) {
    if (model_.empty() || dimensions_ != 0) {
        co_return;
    }
    const monotonic_time until = std::min(deadline, deadline_after(core_->env->now(), catalog_patience));
    const result<std::vector<model_info>> catalog = co_await core_->api->get_models(until);
    if (!catalog) {
        core_->env->log(log_level::info, "catalog_not_read",
                        {log_field("reason", std::string(to_string(catalog.error().kind)))});
        co_return;
    }
    catalog_entry entry = look_up(*catalog, model_);
    dimensions_ = entry.dimensions;
    no_such_model_ = std::move(entry.missing);
}

asio::awaitable<result<bulk::fetched_job>> cyberian_backend::fetch(
    std::string job_id, std::shared_ptr<const std::vector<std::string>> texts, verify_level level,
    std::vector<float> values, std::vector<offline_check>* checks, monotonic_time deadline) {
    bulk::fetched_job fetched;
    fetched.values = std::move(values);
    vector_place place(fetched.values, dimensions_);
    settled_query query;
    query.job_id = job_id;
    query.rows = texts->size();
    query.level = level;
    query.inputs = std::move(texts);
    query.model = model_;
    query.dimensions = dimensions_;
    offline_report made;
    const result<settled_job> settled =
        co_await fetch_settled_job(core_->api, core_->env, core_->pins, std::move(query), &place, &made, deadline);
    *checks = asked_for(std::move(made), settled, level);
    if (!settled) {
        co_return settled.error();
    }
    co_await core_->keep_pins(deadline);
    fetched.dimensions = settled->dimensions;
    fetched.chunks_sampled = settled->chunks_sampled;
    co_await learn(&settled->results, deadline);
    fetched.chunks = settled->results.chunks.size();
    fetched.spec_hash = settled->receipt.spec_hash;
    fetched.proof.job_id = job_id;
    fetched.proof.results_json = boost::json::serialize(settled->results.raw);
    fetched.proof.receipt_json = settled->receipt.raw_text;
    fetched.proof.output_sha256 = settled->output_sha256 ? to_hex(*settled->output_sha256) : "";
    if (!settled->verification.raw.is_null()) {
        fetched.proof.verification_json = boost::json::serialize(settled->verification.raw);
    }
    co_return fetched;
}

asio::awaitable<result<bool>> cyberian_backend::prove_inputs(std::string job_id,
                                                             std::shared_ptr<const std::vector<input_digests>> texts,
                                                             monotonic_time deadline) {
    const result<job_results> results = co_await core_->api->results(job_id, deadline);
    if (!results) {
        co_return results.error();
    }
    if (!results->receipt_id) {
        co_return false;
    }
    std::string receipt_id = *results->receipt_id;
    const result<receipt> proof = co_await core_->api->get_receipt(std::move(receipt_id), deadline);
    if (!proof) {
        co_return proof.error();
    }
    offline_evidence evidence;
    evidence.job_id = std::move(job_id);
    evidence.receipt_id = *results->receipt_id;
    evidence.rows = texts->size();
    evidence.inputs = *texts;
    const offline_report made = verify_receipt_offline(proof->raw_text, evidence, *core_->pins);
    co_return made.first_failed() == nullptr&& made.not_verified(proves_inputs).empty();
}

asio::awaitable<void> cyberian_backend::learn(const job_results* results, monotonic_time deadline) {
    for (const chunk_result& chunk : results->chunks) {
        core_->api->learn_rows_per_chunk(name(), chunk.row_end - std::min(chunk.row_start, chunk.row_end));
    }
    const chunk_size shown = chunk_size_shown(*results, chunk_size_kept_);
    if (shown != chunk_size_kept_ && is_terminal(results->status)) {
        chunk_size_kept_ = shown;
        std::string key = chunk_size_key(core_->base_url, model_, spec_yaml_);
        co_await core_->remember_chunk_size(std::move(key), shown, deadline);
    }
}

void cyberian_backend::take_up(const std::string& job_id, std::uint64_t chunks) {
    leases_.insert_or_assign(job_id, core_->gate->adopt(chunks));
}

asio::awaitable<bool> cyberian_backend::look_at_chunks(std::string job_id, monotonic_time deadline) {
    const result<job_results> seen = co_await core_->api->results(std::move(job_id), deadline);
    if (!seen) {
        co_return false;
    }
    co_await learn(&*seen, deadline);
    co_return !is_terminal(seen->status);
}

asio::awaitable<result<policy::account_count>> cyberian_backend::count_chunks(monotonic_time deadline) {
    const result<account_info> account = co_await core_->api->get_account(deadline);
    if (!account) {
        co_return account.error();
    }
    if (!account->chunks_period_started_at) {
        co_return error(errc::protocol, "the account does not tell what it has consumed");
    }
    policy::account_count counted;
    counted.chunks = account->chunks_consumed_period;
    counted.period = *account->chunks_period_started_at;
    counted.others = core_->use_of_other_keys(*account);
    co_return counted;
}

std::uint64_t cyberian_backend::rows_per_chunk() const {
    return core_->api->rows_per_chunk(name());
}

void cyberian_backend::expect_rows_per_chunk(std::uint64_t rows) {
    core_->api->learn_rows_per_chunk(name(), rows);
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
    into.quota = seen.quota;
    if (core_->tier_ends) {
        const auto left = std::chrono::floor<std::chrono::seconds>(*core_->tier_ends - core_->env->wall_now());
        into.tier_left = std::max(left, std::chrono::seconds(0));
    }
    const policy::outage& outage = core_->api->through()->outage();
    if (outage.lasts()) {
        into.unreachable_for =
            std::chrono::duration_cast<std::chrono::milliseconds>(core_->env->now() - outage.since());
        into.unreachable_reason = outage.why();
    }
}

void cyberian_backend::describe_account(bulk_report& into) const {
    into.account_id = core_->account_id;
    into.pins = *core_->pins;
}

}  // namespace vembed::detail
