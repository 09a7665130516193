#pragma once
/// @file
/// The local stand-in for Cyberian's service, as a pure state machine: no sockets, no clock, no threads. The socket
/// front and the in-memory transport both drive it.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/testing/local_service.hpp>
#include <vembed/testing/proof_faults.hpp>
#include <vembed/verify/schemes.hpp>

namespace vembed::testing {

/// The tier that an account has at first, with the limits that the contract gives it; `paid` has limits of our own
/// choice that a full WordNet run fits in. `expired`: the trial ended a day ago; GET /account shows the limits of
/// `free`, and every submission is refused with 402 trial_expired. A trial becomes `expired` after its 14 days.
enum class tier : std::uint8_t { trial, free, paid, expired };

/// How often each fault strikes, as a probability for one request or one job (0 to 1). Drawn from the service's seed.
class fault_rates {
public:
    double drop = 0;              ///< The connection is cut at a random byte of the request or of the response.
    double delay = 0;             ///< The response is held back (the request is acted on) for up to delay_ms_max.
    double truncate = 0;          ///< A job output ends early although its Content-Length promises more.
    double rate_limited = 0;      ///< 429 rate_limited with Retry-After.
    double busy = 0;              ///< 503 service_busy with Retry-After.
    double inflight = 0;          ///< 429 too_many_inflight.
    double retry_after_date = 0;  ///< A response's Retry-After, by fault or limit, is an HTTP-date instead of seconds.
    double bad_gateway = 0;       ///< 502 with an HTML body, as a proxy answers; every other one is acted on first.
    double empty_error = 0;       ///< 500 with no body; every other one is acted on first.
    double failed_chunk = 0;      ///< A submitted job will end FAILED.
    double refund = 0;            ///< A submitted job will end REFUNDED.
    double wrong_shape = 0;       ///< A job output whose shape header does not match its body.
    double corrupt = 0;           ///< A job output with one bit flipped.
    double invalid_receipt = 0;   ///< /receipts/:id/verify answers valid:false.
    /// The rates of jobs spoiled by each proof_fault, under its own name. A job has at most one: the first that
    /// strikes.
    std::array<double, proof_faults.size()> proof{};
    std::uint32_t delay_ms_max = 2000;
    std::uint32_t retry_after_s_max = 2;  ///< Retry-After is drawn from 1 to this.

    fault_rates() = default;

    /// Reads `drop=0.02,busy=0.01,...`, or, if the text holds no '=', the file it names, with one `name=value` a line
    /// (# begins a comment). invalid_argument names the unknown or malformed item and lists the known names; io if the
    /// file cannot be read.
    static result<fault_rates> parse(const std::string& text_or_path);
};

/// How the chunks a minute are limited.
enum class bucket_shape : std::uint8_t {
    sliding_log,   ///< At most the cap within any 60 s.
    fixed_window,  ///< At most the cap in each minute since the account's first request.
    token_bucket,  ///< Refills evenly; a whole minute's worth may be saved up, so that twice the cap passes in one.
    leaky_bucket,  ///< Drains evenly and holds one second's worth: a burst is refused however little was used before.
};

/// Everything configurable about the stand-in.
class service_options {
public:
    std::uint64_t seed = 1;
    std::uint32_t chunk_size = 100;  ///< Inputs a chunk for catalog models; 1 to 1000.
    /// From submit to SETTLED; half of it EXECUTING, half PROVING. A job's chunks are executed one after the other in
    /// the first half and verified one after the other in the second.
    std::uint32_t settle_delay_ms = 0;
    std::uint32_t max_inflight = 0;  ///< Unsettled jobs an account may have; 0: no limit.
    vembed::testing::tier account_tier = tier::paid;
    bucket_shape bucket = bucket_shape::sliding_log;
    commitment_encoding commitment = commitment_encoding::sha256;  ///< How chunks are committed to.
    fault_rates faults;
    std::string poison;  ///< A job with this in a text ends FAILED, with the chunks of such texts.
    /// After this many jobs, all later ones are made under another specification: their receipts have another
    /// spec_hash.
    std::optional<std::uint64_t> model_changes_after_jobs;
    receipt_scheme scheme;              ///< The scheme that receipts are issued under.
    std::vector<spoiled_jobs> spoiled;  ///< Jobs to spoil; if several name a job, the first applies.
    /// True: jobs are spoiled on the way to the caller only, and /receipts/:id/verify checks what is stored, which is
    /// right. False: it checks the receipt that is handed out, against the stored texts and commitments.
    bool spoiled_in_transfer = false;
    bool poison_is_refused = false;                  ///< A submission with `poison` is refused with 400 instead.
    std::string api_key;                             ///< The first account's key; empty: drawn from the seed.
    std::optional<std::uint64_t> chunks_per_minute;  ///< Instead of the tier's.
    std::optional<std::uint64_t> chunks_per_day;
    std::optional<std::uint64_t> chunks_per_period;
    /// Bytes of finished jobs' texts and of their records to keep. Beyond it the oldest fetched job is forgotten (404);
    /// if nothing was fetched, new jobs are refused with 503 until something is.
    std::uint64_t retained_bytes_max = std::uint64_t{512} << 20;
    std::uint64_t output_cache_bytes_max = std::uint64_t{256} << 20;  ///< Outputs kept ready; others are recomputed.

    service_options() = default;
};

/// Counters for tests and reports.
class service_counters {
public:
    std::uint64_t requests = 0;
    std::uint64_t jobs_created = 0;
    std::uint64_t chunks_charged = 0;          ///< Chunks of the first account; refunds are not subtracted.
    std::uint64_t replies_rate_limited = 0;    ///< Responses 429 of any code, by limit or by fault.
    std::uint64_t chunks_in_a_minute_max = 0;  ///< The most chunks charged to the first account within any 60 s.

    service_counters() = default;
};

/// The service. It answers 405 to all methods but GET and POST.
class service final : public local_service {
public:
    explicit service(service_options options);
    ~service() override;

    service_arrival arrive(std::uint64_t expected_size) override;
    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                            wall_time wall) override;

    /// The first account's key.
    [[nodiscard]] const std::string& api_key() const noexcept;

    /// Adds another account of the same tier and returns its key.
    std::string add_account();

    [[nodiscard]] service_counters counters() const;

    /// Jobs of the first account that are not settled.
    [[nodiscard]] std::uint64_t unsettled_jobs(monotonic_time now);

    /// Replaces service_options::max_inflight from now on. Jobs in flight stay.
    void set_max_inflight(std::uint32_t jobs);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed::testing
