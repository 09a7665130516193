#pragma once
/// @file
/// The local stand-in for AITBC's compute jobs (wire contract, section 3), as a pure state machine. It serves the jobs
/// below `/v1/jobs`, and below `/api/v1/jobs` as well.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::testing {

/// Which form of requests the stand-in takes and which routes it has; the other form is refused with 422.
enum class aitbc_dialect : std::uint8_t { docs, coordinator };

/// How often each fault strikes, as a probability for one request or one job (0 to 1). Drawn from the service's seed.
class aitbc_faults {
public:
    double drop = 0;            ///< The connection is cut at a random byte of the request or of the response.
    double lost_reply = 0;      ///< A job is accepted, and the connection is cut before any byte of the response.
    double bad_gateway = 0;     ///< 502 with an HTML body, as a proxy answers; every other one is acted on first.
    double internal_error = 0;  ///< 500 with the service's own body; every other one is acted on first.
    double rate_limited = 0;    ///< 429 though the windows have room.
    double failed = 0;          ///< A job ends FAILED.
    double failed_result = 0;   ///< A job ends COMPLETED, and its result says that it failed.
    double no_result = 0;       ///< A job ends COMPLETED without a result: its output answers 425 for ever.
    double never_runs = 0;      ///< A job stays QUEUED until it is EXPIRED.
    /// A job's result comes only after the job is EXPIRED or CANCELED, and turns it into COMPLETED.
    double late_result = 0;
    std::uint32_t late_by_ms = 5'000;  ///< How long after its end a late result comes.

    aitbc_faults() = default;

    /// Reads `drop=0.02,failed=0.01,...`, or, if the text holds no '=', the file it names, with one `name=value` a line
    /// (# begins a comment). invalid_argument names the unknown or malformed item and lists the known names; io if the
    /// file cannot be read.
    static result<aitbc_faults> parse(const std::string& text_or_path);
};

class aitbc_options {
public:
    std::uint64_t seed = 1;
    aitbc_dialect dialect = aitbc_dialect::docs;
    std::string api_key;                     ///< The first client's key; empty: drawn from the seed.
    std::uint64_t requests_per_minute = 60;  ///< In any 60 s, all calls of all clients together; 0: no limit.
    std::uint64_t requests_per_hour = 1000;  ///< In any 3,600 s; 0: no limit.
    std::uint32_t retry_after_s = 60;        ///< What a 429 says. The contract's service says 60 whatever is true.
    std::uint32_t job_time_ms = 1000;        ///< From submission to COMPLETED; a quarter of it QUEUED.
    std::uint32_t ttl_s = 900;               ///< From submission to EXPIRED, if a request does not say.
    /// GET of a status, and lists, show a job as it was when it was last looked up, for so long after that.
    std::uint32_t stale_ms = 0;
    bool bearer_only = false;     ///< X-Api-Key is refused; only Authorization: Bearer counts.
    bool older_envelope = false;  ///< 422 and 429 come out as 500, as in the service's older code.
    bool shows_payload = false;   ///< `coordinator`: a job's view has its `payload` and `result`, as in newer code.
    aitbc_faults faults;
    std::uint64_t body_bytes_max = std::uint64_t{10} << 20;  ///< Over it: 413.
    std::uint64_t jobs_max = 200'000;                        ///< Over it the oldest job is forgotten.

    aitbc_options() = default;
};

/// Counters for tests and reports.
class aitbc_counters {
public:
    std::uint64_t requests = 0;                  ///< That arrived whole.
    std::uint64_t requests_in_a_minute_max = 0;  ///< The most within any 60 s, refused ones as well.
    std::uint64_t requests_in_an_hour_max = 0;   ///< The most within any 3,600 s, refused ones as well.
    std::uint64_t refused_by_window = 0;
    std::uint64_t jobs_accepted = 0;
    std::uint64_t replies_lost = 0;  ///< Jobs accepted whose response was cut off or replaced.

    aitbc_counters() = default;
};

/// The service.
class aitbc_service final : public local_service {
public:
    explicit aitbc_service(aitbc_options options);
    ~aitbc_service() override;

    service_arrival arrive(std::uint64_t expected_size) override;
    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                            wall_time wall) override;

    /// The first client's key.
    [[nodiscard]] const std::string& api_key() const noexcept;

    /// Adds another client, who has jobs of its own, and returns its key.
    std::string add_client();

    [[nodiscard]] aitbc_counters counters() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed::testing
