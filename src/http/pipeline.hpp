#pragma once
/// What every request goes through, whatever the api: trace, deadline, retry; and for each try: the gate, the key, the
/// log, the transport. Requests that must not be repeated are sent once and classified by how far they got.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

/// A reply read whole. `body` is empty where the call's own sink took it.
class reply {
public:
    response_head head;
    std::string body;

    reply() = default;
};

/// What an api makes of a reply that is not 2xx.
class mapped_error {
public:
    failure error;
    bool may_be_json = true;  ///< The body is JSON, or the beginning of JSON that was cut off.

    mapped_error() = default;
    mapped_error(failure what, bool json) : error(std::move(what)), may_be_json(json) {}
};

/// Turns a reply that is not 2xx into the api's typed failure.
using error_mapper = mapped_error (*)(const reply& from, wall_time now);

/// One request as an api asks for it.
class call {
public:
    http_method method = http_method::get;
    std::string target;
    std::string body;  ///< JSON, for POST.
    bool authorize = true;
    std::uint64_t body_limit = 1 << 20;  ///< Most bytes of a 2xx reply that is collected in memory.
    /// Takes the body of a 2xx reply instead. Must outlive the call; begin() is called anew for each try.
    response_sink* sink = nullptr;
    monotonic_time deadline = no_deadline;
    std::chrono::seconds try_timeout{0};  ///< Instead of pipeline_options::try_timeout; 0: that one.

    call() = default;
};

/// What became of a request that is sent once.
class post_result {
public:
    policy::post_outcome outcome = policy::post_outcome::unknown;
    reply accepted;                ///< Where outcome is accepted.
    std::optional<failure> error;  ///< Otherwise. Its kind is the api's for `rejected`, outcome_unknown for `unknown`,
                                   ///< and what stopped it for `not_sent`.

    post_result() = default;
};

class pipeline_options {
public:
    policy::backoff_options backoff;
    std::chrono::seconds try_timeout{60};  ///< One try of one request, where the call's deadline is not nearer.

    pipeline_options() = default;
};

class pipeline {
public:
    pipeline(std::shared_ptr<environment> env, std::shared_ptr<transport> over, std::shared_ptr<admission::gate> gate,
             std::shared_ptr<const secret> key, error_mapper map_error, pipeline_options options);

    /// Sends a request that changes nothing, again and again while its failures are worth it and the deadline allows:
    /// after Retry-After where the service gave one, else after a jittered backoff. Where the next try would come
    /// after the deadline, fails at once with what went wrong. timeout only where a try was under way.
    asio::awaitable<result<reply>> repeat(call what);

    /// Sends a request that must not be repeated, once. Does not pass the gate: its caller holds a lease, or the
    /// request costs none. 429 and 503 close the gate for everyone.
    asio::awaitable<post_result> send_once(call what);

    [[nodiscard]] const std::shared_ptr<environment>& env() const noexcept { return env_; }
    [[nodiscard]] const std::shared_ptr<admission::gate>& gate() const noexcept { return gate_; }
    [[nodiscard]] const policy::backoff_options& backoff() const noexcept { return options_.backoff; }
    /// Whether the service could be reached lately. Its beginning and its end are logged as warnings.
    [[nodiscard]] const policy::outage& outage() const noexcept { return outage_; }
    [[nodiscard]] std::chrono::seconds try_timeout() const noexcept { return options_.try_timeout; }

private:
    struct attempt;
    std::shared_ptr<const transport_request> make_request(call& what) const;
    asio::awaitable<void> try_once(std::shared_ptr<const transport_request> request, const call* what, attempt* made);
    void log_try(const call& what, const attempt& made, monotonic_time began);
    void note_reply(const attempt& made);
    void tell_gate(const failure& f);
    [[nodiscard]] std::optional<monotonic_time> next_try(const failure& f, std::uint32_t tries_made, bool stale);

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> transport_;
    std::shared_ptr<admission::gate> gate_;
    std::shared_ptr<const secret> key_;
    error_mapper map_error_;
    pipeline_options options_;
    policy::outage outage_;
};

}  // namespace vembed::http
