#include "http/pipeline.hpp"

#include <algorithm>

#include "policy/retry/retry_after.hpp"
#include "policy/retry/retry_class.hpp"
#include "text/words.hpp"

namespace vembed::http {
namespace {

// This is more than any documented error needs, and enough of a proxy's page to recognise it.
constexpr std::uint64_t error_body_limit = 64 * 1024;

// Collects a body in memory, or passes a 2xx body to the call's own sink.
class response_collector final : public response_sink {
public:
    response_collector(std::string* into, response_sink* own, std::uint64_t limit)
        : into_(into), own_(own), limit_(limit) {}

    result<void> begin(const response_head& head) override {
        const bool good = head.status >= 200 && head.status < 300;
        into_->clear();
        filled_ = 0;
        passing_ = good && own_ != nullptr;
        if (passing_) {
            return own_->begin(head);
        }
        // Bytes beyond the limit of an error's body are read and dropped, because the status is what matters.
        dropping_ = !good;
        capacity_ = good ? limit_ : error_body_limit;
        if (good && head.content_length && *head.content_length > capacity_) {
            return error(errc::response_too_large, "the response announces " + std::to_string(*head.content_length) +
                                                       " bytes, over the limit of " + std::to_string(capacity_));
        }
        return {};
    }

    std::span<std::byte> prepare(std::size_t at_most) override {
        if (passing_) {
            return own_->prepare(at_most);
        }
        const std::uint64_t left = capacity_ - filled_;
        if (left == 0) {
            const std::size_t dropped = std::min(at_most, dropped_max - dropped_);
            waste_.resize(std::min<std::size_t>(dropped, 4096));
            return dropping_ ? std::span<std::byte>(waste_) : std::span<std::byte>();
        }
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(at_most, left));
        into_->resize(filled_ + size);
        return {reinterpret_cast<std::byte*>(into_->data()) + filled_, size};
    }

    result<void> commit(std::size_t size) override {
        if (passing_) {
            return own_->commit(size);
        }
        if (filled_ == capacity_) {
            dropped_ += size;
        } else {
            filled_ += size;
        }
        return {};
    }

    void finish() {
        if (!passing_) {
            into_->resize(filled_);
        }
    }

private:
    static constexpr std::size_t dropped_max = 1 << 20;

    std::string* into_;
    response_sink* own_;
    std::uint64_t limit_;
    std::uint64_t capacity_ = 0;
    std::size_t filled_ = 0;
    std::size_t dropped_ = 0;
    std::vector<std::byte> waste_;
    bool passing_ = false;
    bool dropping_ = false;
};

bool is_good(int status) noexcept {
    return status >= 200 && status < 300;
}

}  // namespace

struct pipeline::attempt {
    exchange_outcome outcome;
    response got;
    std::optional<vembed::error> error;  ///< Not set only if a 2xx response was read completely.
    policy::response_author author = policy::response_author::uncertain;  ///< Of a response that is not 2xx.

    attempt() = default;
};

pipeline::pipeline(std::shared_ptr<environment> env, std::shared_ptr<transport> over,
                   std::shared_ptr<admission::gate> gate, std::shared_ptr<const secret> key, error_mapper map_error,
                   pipeline_options options)
    : env_(std::move(env)),
      transport_(std::move(over)),
      gate_(std::move(gate)),
      key_(std::move(key)),
      map_error_(std::move(map_error)),
      options_(std::move(options)),
      key_in_(std::make_shared<const key_header>(options_.key_in)) {}

std::shared_ptr<const transport_request> pipeline::make_request(call& what) const {
    auto request = std::make_shared<transport_request>();
    request->method = what.method;
    request->target = what.target;
    request->body = std::move(what.body);
    request->long_body = std::move(what.long_body);
    request->key = what.authorize ? key_ : nullptr;
    request->key_in = key_in_;
    request->headers.reserve(2);
    const bool says_accept = std::any_of(what.headers.begin(), what.headers.end(), [](const header_field& field) {
        return text::same_word(field.name, "Accept");
    });
    if (!says_accept) {
        request->headers.emplace_back(
            "Accept", what.sink != nullptr ? "application/octet-stream, application/json" : "application/json");
    }
    request->headers.insert(request->headers.end(), what.headers.begin(), what.headers.end());
    if (what.authorize) {
        request->headers.insert(request->headers.end(), options_.headers.begin(), options_.headers.end());
    }
    // An empty body is not JSON: some servers refuse it if it is declared as JSON.
    if (!request->body.empty()) {
        request->headers.emplace_back("Content-Type", "application/json");
    }
    return request;
}

asio::awaitable<void> pipeline::try_once(std::shared_ptr<const transport_request> request, const call* what,
                                         attempt* made) {
    const monotonic_time began = env_->now();
    const std::chrono::seconds limit = what->try_timeout.count() > 0 ? what->try_timeout : options_.try_timeout;
    const monotonic_time until = std::min(what->deadline, deadline_after(began, limit));
    response_collector collector(&made->got.body, what->sink, what->body_limit);
    made->outcome = co_await transport_->exchange(std::move(request), &collector, until);
    collector.finish();
    const int status = made->outcome.head ? made->outcome.head->status : 0;
    if (made->outcome.error) {
        made->error = made->outcome.error;
        made->error->http_status = status;
        if (made->error->kind == errc::timeout && until < what->deadline) {
            // The try's limit has passed, not the caller's deadline: another try may succeed.
            made->error->kind = errc::network;
        }
    } else {
        made->got.head = std::move(*made->outcome.head);
        if (!is_good(status)) {
            mapped_error mapped = map_error_(made->got, *what, env_->wall_now());
            made->error = std::move(mapped.error);
            made->author = mapped.author;
            hide_key(*made->error);
        }
    }
    note_response(*made);
    if (env_->logs(log_level::debug)) {
        log_try(*what, *made, began);
    }
}

// A service that repeats the key in an error must not bring it into logs and reports.
void pipeline::hide_key(error& f) const {
    constexpr std::size_t shortest = 8;  // A shorter one is no key, and may be part of any word.
    const std::string_view key = key_ ? key_->reveal() : std::string_view();
    if (key.size() < shortest) {
        return;
    }
    for (std::string* text : {&f.message, &f.code, &f.raw_body}) {
        text::replace_all(*text, key, "…");
    }
}

// One try behind the gate. An error is the gate's: nothing was sent.
asio::awaitable<std::optional<error>> pipeline::try_admitted(std::shared_ptr<const transport_request> request,
                                                             const call* what, attempt* made) {
    if (gate_->counts_calls()) {
        result<admission::call_lease> entered = co_await gate_->enter_call(what->rank, what->deadline);
        if (!entered) {
            co_return entered.error();
        }
        co_await try_once(std::move(request), what, made);
        if (made->outcome.bytes_written == 0) {
            entered->not_sent();
        }
        co_return std::nullopt;
    }
    if (!gate_->is_open()) {
        const result<void> passed = co_await gate_->pass(what->deadline);
        if (!passed) {
            co_return passed.error();
        }
    }
    co_await try_once(std::move(request), what, made);
    co_return std::nullopt;
}

void pipeline::log_try(const call& what, const attempt& made, monotonic_time began) {
    const int status = made.outcome.head ? made.outcome.head->status : 0;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(env_->now() - began);
    env_->log(log_level::debug, "request",
              {log_field("method", std::string(to_string(what.method))), log_field("target", what.target),
               log_field("status", static_cast<std::uint64_t>(status)),
               log_field("outcome", std::string(made.error ? to_string(made.error->kind) : "ok")),
               log_field("ms", static_cast<std::uint64_t>(took.count()))});
}

// The beginning and the end of an outage are logged once, however many requests meet it.
void pipeline::note_response(const attempt& made) {
    using change = policy::outage::change;
    if (made.outcome.head || made.outcome.response_begun) {
        if (outage_.got_response() == change::ended) {
            const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(env_->now() - outage_.since());
            env_->log(log_level::warning, "service_reached",
                      {log_field("after_seconds", static_cast<std::uint64_t>(lasted.count()))});
        }
        return;
    }
    if (!made.error || made.error->kind != errc::network) {
        return;
    }
    if (outage_.got_no_response(env_->now(), policy::brief_reason(made.error->message)) == change::begun) {
        env_->log(log_level::warning, "service_unreachable", {log_field("reason", outage_.why())});
    }
}

void pipeline::tell_gate(const error& f) {
    if (policy::classify_retry(f) == policy::retry_class::retry_after && f.retry_after) {
        gate_->pause(std::max(*f.retry_after, policy::retry_after_least), f);
    }
}

// When to try again, or nothing if that is pointless. `stale`: a kept-alive connection turned out to be dead.
std::optional<monotonic_time> pipeline::next_try(const error& f, std::uint32_t tries_made, bool stale) {
    switch (policy::classify_retry(f)) {
        case policy::retry_class::final: return std::nullopt;
        case policy::retry_class::retry_after:
            return deadline_after(env_->now(),
                                  std::max(f.retry_after.value_or(std::chrono::seconds(0)), policy::retry_after_least));
        case policy::retry_class::backoff: break;
    }
    if (stale && tries_made == 1) {
        return env_->now();
    }
    const auto delay = policy::backoff_delay(options_.backoff, tries_made, env_->random());
    return delay ? std::optional(deadline_after(env_->now(), *delay)) : std::nullopt;
}

asio::awaitable<result<response>> pipeline::repeat(call what) {
    const std::shared_ptr<const transport_request> request = make_request(what);
    std::uint32_t tries = 0;
    std::string last_breach;  // The last breach of the contract by a complete response.
    for (;;) {
        attempt made;
        const std::optional<error> refused = co_await try_admitted(request, &what, &made);
        if (refused) {
            co_return *refused;
        }
        if (!made.error) {
            co_return std::move(made.got);
        }
        const error& f = *made.error;
        tell_gate(f);
        if (f.kind == errc::protocol) {
            if (f.message == last_breach) {
                co_return f;  // If the same breach comes twice, the service caused it, not the network.
            }
            last_breach = f.message;
        }
        // The deadline bounds refusals with a Retry-After; the number of tries bounds other errors.
        tries += policy::classify_retry(f) == policy::retry_class::retry_after ? 0 : 1;
        const bool stale = made.outcome.connection_reused && !made.outcome.response_begun;
        const std::optional<monotonic_time> again = next_try(f, tries, stale);
        if (!again || *again >= what.deadline) {
            co_return f;
        }
        env_->log(log_level::info, "request_retried",
                  {log_field("target", what.target), log_field("reason", std::string(to_string(f.kind))),
                   log_field("try", static_cast<std::uint64_t>(tries))});
        const monotonic_time until = *again;
        const wait_outcome waited = co_await sleep_until(env_, until);
        if (waited == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while waiting to try again");
        }
    }
}

asio::awaitable<read_result> pipeline::read_once(call what) {
    const std::shared_ptr<const transport_request> request = make_request(what);
    attempt made;
    read_result read;
    read.error = co_await try_admitted(request, &what, &made);
    if (read.error) {
        co_return read;
    }
    if (made.error) {
        tell_gate(*made.error);
    }
    if (made.outcome.error && made.outcome.head) {
        made.got.head = std::move(*made.outcome.head);  // It broke off after its head.
    }
    read.got = std::move(made.got);
    read.error = std::move(made.error);
    co_return read;
}

asio::awaitable<post_result> pipeline::send_once(call what) {
    const std::shared_ptr<const transport_request> request = make_request(what);
    attempt made;
    co_await try_once(request, &what, &made);
    post_result result;
    policy::post_evidence evidence;
    evidence.bytes_written = made.outcome.bytes_written;
    evidence.response_complete = !made.outcome.error;
    evidence.status = made.got.head.status;
    evidence.author = made.author;
    result.outcome = policy::classify_post(evidence);
    if (result.outcome == policy::post_outcome::accepted) {
        result.accepted = std::move(made.got);
        co_return result;
    }
    result.error = std::move(made.error);
    tell_gate(*result.error);  // The pause is for all requests, even if a proxy wrote the 503.
    if (result.outcome == policy::post_outcome::unknown) {
        result.error->message = "the request was sent but its outcome is unknown: " + result.error->message;
        result.error->kind = errc::outcome_unknown;
        env_->log(log_level::warning, "outcome_unknown", {log_field("target", what.target)});
    }
    co_return result;
}

}  // namespace vembed::http
