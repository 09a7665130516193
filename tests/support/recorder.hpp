#pragma once
/// A transport that passes everything on and counts the requests that break a Retry-After and the texts that may have
/// been bought.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

#include "policy/retry/retry_after.hpp"

namespace vembed::testing {

class recorder final : public transport {
public:
    recorder(std::shared_ptr<environment> env, std::shared_ptr<transport> to)
        : env_(std::move(env)), to_(std::move(to)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        ++requests;
        const bool asks_only = request->method == http_method::get;
        early_requests += env_->now() < (asks_only ? polls_quiet_until_ : quiet_until_) ? 1 : 0;
        if (on_request) {
            on_request(*request);
        }
        if (cut_until > env_->now()) {
            exchange_outcome refused;
            refused.error = error(errc::network, "the connection failed: Connection refused");
            co_return refused;
        }
        exchange_outcome outcome = co_await to_->exchange(request, sink, deadline);
        const int status = outcome.head ? outcome.head->status : 0;
        const bool whole = outcome.head && !outcome.error;
        note(request->target, status);
        if (whole && (status == 429 || status == 503)) {
            const auto header = outcome.head->find("Retry-After");
            const auto delay = header ? policy::parse_retry_after(*header, env_->wall_now()) : std::nullopt;
            if (delay) {
                quiet_until_ = std::max(quiet_until_, deadline_after(env_->now(), *delay));
                polls_quiet_until_ =
                    std::max(polls_quiet_until_, deadline_after(env_->now(), std::min(*delay, polls_held_at_most)));
            }
        }
        if (request->method == http_method::post && request->target == "/jobs") {
            const bool refused =
                outcome.bytes_written == 0 || (whole && status >= 300 && status != 502 && status != 500);
            if (!refused) {
                note_bought(request->body);
            }
        }
        co_return outcome;
    }

    void close() noexcept override { to_->close(); }

    std::uint64_t requests = 0;
    /// Requests sent before a Retry-After had passed; for GET requests, before two minutes of it had passed.
    std::uint64_t early_requests = 0;
    std::map<std::string, std::uint32_t, std::less<>> bought;  ///< How often a text may have been bought.
    std::string trace;                                         ///< One line for each exchange.
    std::function<void(const transport_request&)> on_request;
    monotonic_time cut_until{};  ///< Until then no request gets through.

private:
    void note(const std::string& target, int status) {
        trace +=
            std::to_string(env_->now().time_since_epoch().count()) + " " + target + " " + std::to_string(status) + "\n";
    }

    void note_bought(const std::string& body) {
        const boost::json::object parsed = boost::json::parse(body).as_object();
        for (const auto& text : parsed.at(parsed.contains("inputs") ? "inputs" : "input_texts").as_array()) {
            ++bought[std::string(text.as_string())];
        }
    }

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> to_;
    static constexpr std::chrono::seconds polls_held_at_most{120};

    monotonic_time quiet_until_{};
    monotonic_time polls_quiet_until_{};
};

}  // namespace vembed::testing
