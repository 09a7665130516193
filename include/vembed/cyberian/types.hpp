#pragma once
/// @file
/// The values that Cyberian's endpoints take and give. Every response type keeps the response's whole JSON in `raw`, so
/// that fields this version does not know stay reachable. Optional fields are empty when absent or null. The source of
/// every field is the service's documentation of each endpoint.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include <vembed/core/error.hpp>
#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>

namespace vembed {

/// A model of the catalog (GET /models).
class model_info {
public:
    std::string id;
    std::string name;
    std::string description;
    std::uint64_t output_dimensions = 0;
    std::optional<std::uint64_t> max_input_length_tokens;
    boost::json::value raw;

    model_info() = default;
};

/// The states of a job. `unknown` is any word not documented; `job::status_text` has it.
enum class job_status : std::uint8_t { executing, proving, settled, failed, refunded, unknown };

std::string_view to_string(job_status status) noexcept;

/// SETTLED, FAILED and REFUNDED are final.
constexpr bool is_terminal(job_status status) noexcept {
    return status == job_status::settled || status == job_status::failed || status == job_status::refunded;
}

/// A job (POST /jobs, GET /jobs/:id, GET /jobs/:id/wait).
class job {
public:
    std::string id;
    job_status status = job_status::unknown;
    std::string status_text;        ///< The service's own word.
    std::uint64_t chunk_count = 0;  ///< What the job costs in every chunk quota.
    std::optional<std::string> receipt_id;
    std::optional<std::string> created_at;
    boost::json::value raw;

    job() = default;
};

/// One chunk of a job: rows [row_start, row_end) of its inputs.
class chunk_result {
public:
    std::uint64_t chunk_index = 0;
    std::uint64_t row_start = 0;
    std::uint64_t row_end = 0;
    std::string status;  ///< "VERIFIED", or a word that is not documented.
    std::optional<std::string> output_commitment;
    bool selected_for_verification = false;  ///< The service re-executed this chunk; it did not re-execute the others.

    chunk_result() = default;
};

/// GET /jobs/:id/results.
class job_results {
public:
    std::string job_id;
    job_status status = job_status::unknown;
    std::optional<std::string> receipt_id;
    std::vector<chunk_result> chunks;
    boost::json::value raw;

    job_results() = default;
};

/// GET /jobs/:id/output: row i is the embedding of the job's input i.
class job_output {
public:
    matrix rows;

    job_output() = default;
};

/// GET /receipts/:id. Receipts are not signed: they show integrity, never origin.
class receipt {
public:
    std::string receipt_id;
    std::string job_id;
    std::string spec_hash;
    std::string inputs_root;
    std::string outputs_root;
    std::string verification_attestation;
    std::string verification_level;
    std::vector<std::string> executor_attestation_ids;
    std::string issued_at;
    std::string receipt_hash;
    boost::json::value raw;
    std::string raw_text;  ///< The response's exact bytes: receipt_hash is a hash over the receipt itself.

    receipt() = default;
};

/// GET /receipts/:id/verify: the service's own check of its receipt.
class receipt_verification {
public:
    bool valid = false;
    std::vector<receipt_check> checks;
    std::vector<std::string> errors;
    boost::json::value raw;

    receipt_verification() = default;
};

/// An API key as /account lists it (never the key itself).
class api_key_info {
public:
    std::string key_id;
    std::string label;
    std::optional<std::string> created_at;
    std::optional<std::string> last_used_at;
    std::optional<std::string> revoked_at;

    api_key_info() = default;
};

/// The limits of an account's effective tier; a limit is empty if the service did not state it.
class account_limits {
public:
    std::optional<std::uint64_t> chunks_per_period;
    std::optional<std::uint64_t> period_length_days;
    std::optional<std::uint64_t> chunks_per_day;
    std::optional<std::uint64_t> chunks_per_minute;
    std::optional<std::uint64_t> max_chunks_per_request;
    std::optional<std::uint64_t> max_inputs;  ///< The smaller of `max_inputs` and the older `max_input_texts`.

    account_limits() = default;
};

/// GET /account.
class account_info {
public:
    std::string account_id;
    std::string name;
    std::string email;
    std::string username;
    std::optional<std::string> email_verified_at;
    std::string tier;
    std::string effective_tier;
    std::string subscription_status;
    std::optional<std::string> trial_started_at;
    std::optional<std::string> trial_ends_at;
    std::uint64_t chunks_consumed_period = 0;
    std::optional<std::string> chunks_period_started_at;
    account_limits limits;
    std::vector<api_key_info> keys;
    boost::json::value raw;

    account_info() = default;
};

/// POST /auth/keys/rotate. The service shows the new key this once only. The old key stays valid until revoked.
class rotated_key {
public:
    std::string api_key;
    std::string key_id;

    rotated_key() = default;
};

/// GET /health.
class health_info {
public:
    bool ok = false;
    std::string service;
    boost::json::value raw;

    health_info() = default;
};

/// What a job computes on: either a catalog model and its inputs (the current form), or an execution specification and
/// its input texts (the older form). The two are never mixed in one request.
class job_request {
public:
    std::string model;      ///< Current form: the catalog model's id.
    std::string spec_yaml;  ///< Older form: the execution specification. Exactly one of model and spec_yaml is set.
    std::vector<std::string> inputs;  ///< 1 to 1000 texts, UTF-8, each 1 to 65,536 bytes.

    job_request() = default;

    /// The current form.
    static job_request for_model(std::string model_id, std::vector<std::string> texts);
    /// The older form with the specification's text.
    static job_request for_spec(std::string spec_text, std::vector<std::string> texts);
    /// The older form with the specification in a file of at most 1 MB. io if it cannot be read.
    static result<job_request> for_spec_file(const std::string& path, std::vector<std::string> texts);
};

/// What belongs to one job of an embed() call.
class embedded_job {
public:
    vembed::job job;
    job_results results;
    vembed::receipt receipt;
    receipt_verification verification;
    offline_report checks;        ///< Our own checks, as client_options::verify asked.
    std::uint64_t first_row = 0;  ///< Row of the matrix that the job's input 0 became.
    std::uint64_t row_count = 0;

    embedded_job() = default;
};

/// What embed() gives: row i of `rows` is the embedding of text i.
class embeddings {
public:
    matrix rows;
    std::vector<embedded_job> jobs;  ///< In row order.

    embeddings() = default;
};

}  // namespace vembed
