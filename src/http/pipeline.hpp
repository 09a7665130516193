#pragma once
/// The path of every request, independent of the api: trace, deadline and retry; and for each try: gate, key, log and
/// transport. Requests that must not be repeated are sent once and classified by how much of them was sent.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

#include "admission/gate.hpp"
#include "policy/retry/backoff.hpp"
#include "policy/retry/outage.hpp"
#include "policy/retry/post_outcome.hpp"

namespace vembed::http {

namespace asio = boost::asio;

/// A response that was read completely. `body` is empty if the call's own sink took it.
class response {
public:
    response_head head;
    std::string body;

    response() = default;
};

/// The error that an api makes of a response that is not 2xx.
class mapped_error {
public:
    vembed::error error;
    policy::response_author author = policy::response_author::uncertain;

    mapped_error() = default;
    mapped_error(vembed::error what, policy::response_author wrote) : error(std::move(what)), author(wrote) {}
};

/// One request as an api asks for it.
class call {
public:
    http_method method = http_method::get;
    std::string target;
    std::string body;                        ///< JSON, for POST.
    std::shared_ptr<body_source> long_body;  ///< Instead of `body`; it is sent without a Content-Type of its own.
    std::vector<header_field> headers;       ///< Besides those of every request; an Accept here replaces the usual.
    bool authorize = true;
    admission::call_rank rank = admission::call_rank::interactive;  ///< Matters if the gate counts all calls.
    std::uint64_t body_limit = 1 << 20;  ///< Most bytes of a 2xx body that is collected in memory.
    /// If set, it takes the body of a 2xx response. It must outlive the call; each try calls begin() again.
    response_sink* sink = nullptr;
    monotonic_time deadline = no_deadline;
    std::chrono::seconds try_timeout{0};  ///< Replaces pipeline_options::try_timeout if it is not 0.

    call() = default;
};

/// Turns a response that is not 2xx into the api's typed error.
using error_mapper = std::function<mapped_error(const response& from, const call& asked, wall_time now)>;

/// The outcome of one try of a request that changes nothing.
class read_result {
public:
    response got;                        ///< As far as it was read; `got.head.status` is 0 if no head came.
    std::optional<vembed::error> error;  ///< Not set only if a 2xx response was read completely.

    read_result() = default;
};

/// The outcome of a request that is sent once.
class post_result {
public:
    policy::post_outcome outcome = policy::post_outcome::unknown;
    response accepted;                   ///< Set if outcome is accepted.
    std::optional<vembed::error> error;  ///< Set if not. Its kind is the api's for `rejected`, outcome_unknown for
                                         ///< `unknown`, and that of the cause for `not_sent`.

    post_result() = default;
};

class pipeline_options {
public:
    policy::backoff_options backoff;
    std::chrono::seconds try_timeout{60};  ///< Limit of one try, if the deadline is not nearer.
    key_header key_in;                     ///< Where the key stands.
    std::vector<header_field> headers;     ///< Sent with every request that has the key.

    pipeline_options() = default;
};

class pipeline {
public:
    pipeline(std::shared_ptr<environment> env, std::shared_ptr<transport> over, std::shared_ptr<admission::gate> gate,
             std::shared_ptr<const secret> key, error_mapper map_error, pipeline_options options);

    /// Sends a request that changes nothing and repeats it while its errors may pass and the deadline allows: after
    /// Retry-After if the service gave one, otherwise after a jittered backoff. If the next try would come after the
    /// deadline, the last error is returned at once; timeout is returned only if a try was running.
    asio::awaitable<result<response>> repeat(call what);

    /// One try of a request that changes nothing, for callers that decide themselves when to try again. It passes the
    /// gate like every try of repeat(), and it may last until its deadline.
    asio::awaitable<read_result> read_once(call what);

    /// Sends a request once that must not be repeated. It does not pass the gate: its caller holds a lease, or the
    /// request needs none. 429 and 503 close the gate for all requests.
    asio::awaitable<post_result> send_once(call what);

    [[nodiscard]] const std::shared_ptr<environment>& env() const noexcept { return env_; }
    [[nodiscard]] const std::shared_ptr<admission::gate>& gate() const noexcept { return gate_; }
    [[nodiscard]] const policy::backoff_options& backoff() const noexcept { return options_.backoff; }
    /// Whether the service could be reached lately. The beginning and the end of an outage are logged as warnings.
    [[nodiscard]] const policy::outage& outage() const noexcept { return outage_; }
    [[nodiscard]] std::chrono::seconds try_timeout() const noexcept { return options_.try_timeout; }

private:
    struct attempt;
    std::shared_ptr<const transport_request> make_request(call& what) const;
    asio::awaitable<void> try_once(std::shared_ptr<const transport_request> request, const call* what, attempt* made);
    asio::awaitable<std::optional<error>> try_admitted(std::shared_ptr<const transport_request> request,
                                                       const call* what, attempt* made);
    void hide_key(error& f) const;
    void log_try(const call& what, const attempt& made, monotonic_time began);
    void note_response(const attempt& made);
    void tell_gate(const error& f);
    [[nodiscard]] std::optional<monotonic_time> next_try(const error& f, std::uint32_t tries_made, bool stale);

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> transport_;
    std::shared_ptr<admission::gate> gate_;
    std::shared_ptr<const secret> key_;
    error_mapper map_error_;
    pipeline_options options_;
    std::shared_ptr<const key_header> key_in_;
    policy::outage outage_;
};

}  // namespace vembed::http
