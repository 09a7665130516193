#pragma once
/// @file
/// The local stand-in for Cyberun's workflow tasks (wire contract, section 2), as two pure state machines over one
/// state: the service below `/api/v1/r`, and the store of files behind presigned URLs, which is served on another port.

#include <cstdint>
#include <memory>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::testing {

/// How often each fault strikes, as a probability for one request, one task or one stream (0 to 1). Drawn from the
/// service's seed.
class cyberun_faults {
public:
    double drop = 0;            ///< The connection is cut at a random byte of the request or of the response.
    double bad_gateway = 0;     ///< 502 with an HTML body, as a proxy answers; every other one is acted on first.
    double internal_error = 0;  ///< 500; every other one is acted on first.
    double rate_limited = 0;    ///< 429 with Retry-After: 1.
    double failed = 0;          ///< A task ends `failed`.
    double goes_back = 0;       ///< A running task goes back to `pending` once and is tried again.
    double no_output = 0;       ///< A task ends `completed` without any output.

    double sse_cut = 0;          ///< The stream is cut after sse_cut_bytes of its body.
    double sse_silent = 0;       ///< The stream sends nothing and stays open.
    double sse_buffered = 0;     ///< All events come at once when the task has ended, as through a proxy.
    double sse_errors = 0;       ///< An `error` event, which is not terminal, stands before each other event.
    double sse_cr = 0;           ///< Lines end with CR alone.
    double sse_comments = 0;     ///< Comments stand between the lines, and come alone every half second.
    double sse_split = 0;        ///< The bytes come three at a time, so that characters of UTF-8 are split.
    double sse_no_terminal = 0;  ///< The stream closes without the event that tells the end.
    double sse_refused = 0;      ///< 404 instead of a stream.

    double store_cut = 0;        ///< A download breaks off after store_cut_bytes of its body.
    double store_slow_down = 0;  ///< 503 SlowDown.
    double store_gone = 0;       ///< 404 NoSuchKey.
    double store_redirect = 0;   ///< 307 to cyberun_options::redirect_to.

    std::uint32_t sse_cut_bytes = 100;
    std::uint32_t store_cut_bytes = 10u << 20;

    cyberun_faults() = default;

    /// Reads `drop=0.02,sse_cut=1,...`, or, if the text holds no '=', the file it names, with one `name=value` a line
    /// (# begins a comment). invalid_argument names the unknown or malformed item and lists the known names; io if the
    /// file cannot be read.
    static result<cyberun_faults> parse(const std::string& text_or_path);
};

class cyberun_options {
public:
    std::uint64_t seed = 1;
    std::string api_key;                          ///< Empty: drawn from the seed.
    std::uint32_t task_time_ms = 2000;            ///< From `run` to the end; a quarter of it waiting.
    std::uint32_t progress_steps = 10;            ///< Progress events of a task that is not cut short; 1 to 1000.
    std::uint32_t link_ttl_s = 3600;              ///< How long a presigned URL is valid.
    std::string store_url = "http://store.test";  ///< Where the store is reached, without a slash at the end.
    std::string redirect_to;                      ///< The place that store_redirect leads to; empty: `store_url`.
    std::uint64_t upload_bytes_max = 500'000'000;
    std::uint64_t tasks_max = 200'000;  ///< Over it the oldest task is forgotten.
    std::uint64_t files_max = 200'000;  ///< Uploads that are remembered; over it the oldest is forgotten.
    cyberun_faults faults;

    cyberun_options() = default;
};

/// Counters for tests and reports.
class cyberun_counters {
public:
    std::uint64_t requests = 0;  ///< To the service.
    std::uint64_t tasks_accepted = 0;
    std::uint64_t task_reads = 0;  ///< GET /r/tasks/{id}.
    std::uint64_t task_lists = 0;  ///< GET /r/tasks.
    std::uint64_t streams_opened = 0;
    std::uint64_t store_requests = 0;
    std::uint64_t store_requests_with_key = 0;  ///< With Authorization or X-Api-Key, all refused.
    std::uint64_t store_bytes = 0;              ///< Of files' bodies handed to the front.
    std::uint64_t uploads = 0;

    cyberun_counters() = default;
};

/// The service.
class cyberun_service final : public local_service {
public:
    explicit cyberun_service(cyberun_options options);
    ~cyberun_service() override;

    service_arrival arrive(std::uint64_t expected_size) override;
    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                            wall_time wall) override;

    [[nodiscard]] const std::string& api_key() const noexcept;

    /// The store over the same state, for a front of its own. It may outlive this object.
    [[nodiscard]] std::shared_ptr<local_service> store();

    /// Where the store is reached from now on; what was presigned before leads to the old place.
    void set_store_url(std::string url);

    [[nodiscard]] cyberun_counters counters() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed::testing
