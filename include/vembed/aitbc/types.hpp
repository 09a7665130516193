#pragma once
/// @file
/// The values that AITBC's compute jobs take and give. Both of the service's dialects are always read; only what is
/// sent differs. A response keeps its whole JSON in `raw`, in which the `client` of a receipt is masked because older
/// services write the API key there. Optional fields are empty if they are absent, null or unreadable. The source of
/// every field is the wire contract, section 3.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <vembed/core/time.hpp>

namespace vembed::aitbc {

/// Which form of requests a service takes.
enum class dialect : std::uint8_t {
    docs,         ///< The published reference.
    coordinator,  ///< What the service's own code serves.
};

std::string_view to_string(dialect which) noexcept;

/// What a job's state means. `unknown` is any word that is not documented; `job::state_text` has it.
enum class job_state : std::uint8_t { waiting, running, completed, failed, cancelled, expired, unknown };

std::string_view to_string(job_state state) noexcept;

/// completed, failed, cancelled and expired end the wait for a job. An unknown state does not.
constexpr bool is_terminal(job_state state) noexcept {
    return state == job_state::completed || state == job_state::failed || state == job_state::cancelled ||
           state == job_state::expired;
}

enum class job_priority : std::uint8_t { low, normal, high, urgent };

std::string_view to_string(job_priority priority) noexcept;

/// What a job computes, for either dialect. Fields of one dialect that are set are refused in the other.
class job_request {
public:
    std::string model;                         ///< 1 to 256 bytes.
    std::string input;                         ///< UTF-8 text, or a file's id; JSON text for several inputs.
    std::string output_destination = "local";  ///< "local" or "s3://bucket/path"; the latter in `docs` only.
    std::string output_format = "json";        ///< `docs` only.
    std::string gpu_type;                      ///< Empty: any.
    std::optional<std::uint64_t> gpu_count;    ///< `docs` only.
    std::optional<std::uint64_t> min_vram_gb;
    job_priority priority = job_priority::normal;  ///< `docs` only.
    /// The job's time at the service, counted from its submission. Empty: the service's own.
    std::optional<std::chrono::seconds> timeout;

    boost::json::object payload;      ///< `coordinator` only: further members of the payload; they win over the above.
    boost::json::object constraints;  ///< `coordinator` only: further members of the constraints; they win as well.
    std::optional<std::string> payment_amount;  ///< `coordinator` only: a decimal number.
    std::string payment_currency;               ///< `coordinator` only, with an amount.

    job_request() = default;
};

/// A job, as far as the response that it was read from tells.
class job {
public:
    std::string id;
    job_state state = job_state::unknown;
    std::string state_text;          ///< The service's own word.
    bool failed_by_result = false;   ///< The service's state is "completed", and the result says that the job failed.
    std::optional<double> progress;  ///< 0 to 100. It never decides anything.
    std::optional<std::string> model;
    std::optional<std::string> miner_id;
    std::optional<wall_time> created_at;  ///< `created_at` or `requested_at`.
    std::optional<wall_time> started_at;
    std::optional<wall_time> completed_at;
    std::optional<wall_time> expires_at;
    std::optional<std::string> error;  ///< The failure's text, at most 1,000 bytes.
    std::optional<std::string> payment_id;
    std::optional<std::string> payment_status;  ///< It may change after the job is completed.
    std::optional<boost::json::value> payload;  ///< What the job was submitted with, if the service shows it.
    std::optional<boost::json::value> result;   ///< Any JSON but null.
    boost::json::value raw;

    job() = default;
};

/// The response to a submission.
class submitted_job {
public:
    aitbc::job job;
    std::optional<double> estimated_cost;          ///< An estimate only, in the service's unit.
    std::optional<double> estimated_time_seconds;  ///< An estimate only.

    submitted_job() = default;
};

/// One page of a list of jobs, newest first.
class job_page {
public:
    std::vector<job> jobs;
    /// The service says that there are more, or the page is as long as it was asked for. The service's `total` is not
    /// used, because it may be the page's own length.
    bool more = false;
    std::uint64_t unreadable = 0;  ///< Entries without an id.
    boost::json::value raw;

    job_page() = default;
};

/// A receipt as data: nothing in it was checked.
class receipt {
public:
    std::string receipt_id;
    std::string job_id;
    std::string provider;
    std::string status;
    std::optional<double> units;
    std::string unit_type;
    std::optional<double> unit_price;
    std::optional<double> price;
    std::optional<wall_time> started_at;
    std::optional<wall_time> completed_at;
    boost::json::value raw;

    receipt() = default;
};

class receipt_page {
public:
    std::vector<receipt> receipts;
    std::string next_cursor;  ///< Empty: this is the last page.

    receipt_page() = default;
};

/// GET …/jobs/{id}/result.
class job_output {
public:
    std::optional<boost::json::value> result;
    std::optional<aitbc::receipt> receipt;
    bool says_failed = false;          ///< The result is a miner's report of a failure.
    std::optional<std::string> error;  ///< The failure's text, at most 1,000 bytes.
    boost::json::value raw;

    job_output() = default;
};

}  // namespace vembed::aitbc
