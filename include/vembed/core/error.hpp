#pragma once
/// @file
/// What went wrong, as one value. Every operation of vembed returns result<T>, whose error is a vembed::error; value()
/// throws the typed exception that belongs to the error's kind.

#include <chrono>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/assert/source_location.hpp>

namespace vembed {

/// The kinds of error. Each kind asks for one reaction: callers switch on this and never on message texts.
enum class errc : std::uint8_t {
    invalid_argument,      ///< Refused before anything was sent: no inputs, a bad id, a bad option.
    invalid_request,       ///< 400 invalid_request: the service refuses the request as written.
    unknown_model,         ///< 400 unknown_model.
    unauthorized,          ///< The key is missing or malformed, or 401 (403 in the older service): wrong or revoked.
    trial_expired,         ///< 402 with "trial" in its code: the trial is over.
    quota_exceeded,        ///< 402 quota_exceeded, or a 429 whose Retry-After is hours: wait for the day or the period.
    not_found,             ///< 404: no such thing, or it belongs to another account.
    request_too_large,     ///< 413: the batch is over a per-request limit; split it.
    verification_failed,   ///< 422, or /receipts/:id/verify said valid:false, or a local check of the output failed.
    rate_limited,          ///< 429 rate_limited.
    too_many_inflight,     ///< 429 too_many_inflight.
    service_busy,          ///< 503 service_busy.
    verification_timeout,  ///< 504 verification_timeout.
    api,                   ///< Any other non-2xx response, documented JSON or not (a proxy's HTML, an empty body).
    network,               ///< No usable response: resolve, connect, TLS, reset, end of stream.
    outcome_unknown,       ///< A request that must not be repeated was sent and its response was lost.
    protocol,  ///< A 2xx response that breaks the contract: not HTTP, not JSON, a field missing, a wrong shape.
    response_too_large,  ///< The response is over the limit declared for it.
    job_failed,          ///< The job ended FAILED; see failed_chunks.
    job_refunded,        ///< The job ended REFUNDED: no receipt, no output.
    job_cancelled,       ///< The job ended cancelled at the service, by whomever; `cancelled` is this call's own end.
    job_expired,         ///< The job's time at the service ran out before it ended; it may be charged.
    timeout,             ///< The caller's deadline passed.
    cancelled,           ///< The caller cancelled, or the client was destroyed.
    io,                  ///< A local file could not be read or written.
    bad_input,           ///< The corpus holds something that cannot be embedded (see message for file and line).
    folder_mismatch,     ///< The output folder belongs to another run, or another process is using it.
    run_unfinished,      ///< The output folder's run is not complete: run it again first.
    model_changed,       ///< A receipt names another specification than the run's first one: rows of two models.
    journal_damaged,     ///< The journal of an output folder cannot be trusted.
    budget_exhausted,    ///< A limit set by the caller (chunks, extra chunks) is used up.
    callback_failed,     ///< A callback, source or sink of the caller threw.
    out_of_memory,       ///< An allocation failed.
};

/// The kind's name in snake_case, as used in logs and JSON, e.g. "rate_limited".
std::string_view to_string(errc kind) noexcept;

/// A chunk that did not verify. Rows are [row_start, row_end) of the job's inputs.
struct failed_chunk {
    std::uint64_t chunk_index = 0;
    std::uint64_t row_start = 0;
    std::uint64_t row_end = 0;
    std::string status;  ///< The service's word for the chunk's state; only VERIFIED is documented.

    failed_chunk() = default;
    friend bool operator==(const failed_chunk&, const failed_chunk&) = default;
};

/// One named check of a receipt, as the service's /receipts/:id/verify states it.
struct receipt_check {
    std::string name;
    bool passed = false;

    receipt_check() = default;
    receipt_check(std::string check_name, bool check_passed) : name(std::move(check_name)), passed(check_passed) {}
    friend bool operator==(const receipt_check&, const receipt_check&) = default;
};

/// One error with its diagnostics. Text that came from the service (code, message, raw_body) is untrusted and bounded;
/// the API key is never part of any field.
class error {
public:
    errc kind = errc::api;
    int http_status = 0;  ///< 0 if no HTTP response was involved.
    std::string code;     ///< The service's "error" code, e.g. "quota_exceeded"; empty if none was given.
    std::string message;  ///< For people: what happened and, if known, what to do.
    /// What the service asked for, a day at most (of quota_exceeded 32), or its documented default.
    std::optional<std::chrono::seconds> retry_after;
    bool lasting = false;    ///< For network: trying again cannot help, a certificate was refused for instance.
    std::string job_id;      ///< The job concerned, if there is one.
    std::string receipt_id;  ///< The receipt concerned, if there is one.
    std::vector<failed_chunk> failed_chunks;  ///< For job_failed.
    std::vector<receipt_check> checks;        ///< For verification_failed.
    std::vector<std::string> errors;          ///< For verification_failed: the service's error texts.
    std::string raw_body;                     ///< The start of the response's body, at most max_raw_body bytes.

    /// The most bytes that raw_body keeps of a response.
    static constexpr std::size_t max_raw_body = 4096;

    error() = default;
    error(errc failure_kind, std::string text) : kind(failure_kind), message(std::move(text)) {}

    /// One line with kind, status, code, message, job and retry_after; control characters are escaped.
    [[nodiscard]] std::string describe() const;
};

std::ostream& operator<<(std::ostream& out, const error& f);

/// The base of all typed exceptions: carries the error.
class error_exception : public std::exception {
public:
    explicit error_exception(error f) : failure_(std::move(f)), what_(failure_.describe()) {}
    [[nodiscard]] const error& details() const noexcept { return failure_; }
    [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

private:
    error failure_;
    std::string what_;
};

// The typed exceptions, one a family of kinds (wire contract, "Errors").
class api_error : public error_exception {
    using error_exception::error_exception;
};  ///< invalid_request, unknown_model, not_found, verification_timeout, api, protocol, response_too_large.
class auth_error : public api_error {
    using api_error::api_error;
};  ///< unauthorized.
class trial_expired_error : public api_error {
    using api_error::api_error;
};  ///< trial_expired.
class quota_error : public api_error {
    using api_error::api_error;
};  ///< quota_exceeded, request_too_large, budget_exhausted.
class rate_limit_error : public api_error {
    using api_error::api_error;
};  ///< rate_limited, too_many_inflight.
class service_busy_error : public api_error {
    using api_error::api_error;
};  ///< service_busy.
class verification_failed_error : public api_error {
    using api_error::api_error;
};  ///< verification_failed.
class job_failed_error : public error_exception {
    using error_exception::error_exception;
};  ///< job_failed.
class job_refunded_error : public error_exception {
    using error_exception::error_exception;
};  ///< job_refunded.
class job_cancelled_error : public error_exception {
    using error_exception::error_exception;
};  ///< job_cancelled.
class job_expired_error : public error_exception {
    using error_exception::error_exception;
};  ///< job_expired.
class network_error : public error_exception {
    using error_exception::error_exception;
};  ///< network.
class outcome_unknown_error : public error_exception {
    using error_exception::error_exception;
};  ///< outcome_unknown.
class timeout_error : public error_exception {
    using error_exception::error_exception;
};  ///< timeout.
class cancelled_error : public error_exception {
    using error_exception::error_exception;
};  ///< cancelled.
class argument_error : public error_exception {
    using error_exception::error_exception;
};  ///< invalid_argument, bad_input.
class storage_error : public error_exception {
    using error_exception::error_exception;
};  ///< io, folder_mismatch, journal_damaged.
class callback_error : public error_exception {
    using error_exception::error_exception;
};  ///< callback_failed.
class memory_error : public error_exception {
    using error_exception::error_exception;
};  ///< out_of_memory.

/// Throws the exception that belongs to f.kind. result<T>::value() calls it through argument-dependent lookup.
[[noreturn]] void throw_failure(const error& f);

[[noreturn]] inline void throw_exception_from_error(const error& f, const boost::source_location&) {
    throw_failure(f);
}

}  // namespace vembed
