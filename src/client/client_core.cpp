#include "client/client_core.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <vembed/client/pins_file.hpp>

#include "client/account/chunk_sizes.hpp"
#include "client/account/other_keys.hpp"
#include "connection/connection.hpp"
#include "connection/shared_quota.hpp"
#include "cyberian/wire/error_table.hpp"
#include "cyberian/wire/tier_end.hpp"
#include "operation/durations.hpp"
#include "runtime/blocking_until.hpp"
#include "text/iso_time.hpp"

namespace vembed::detail {
namespace {

// The time before /account is asked again after an error that does not concern the caller.
constexpr std::chrono::seconds limits_unknown_for{60};
// The longest wait for the limits. A busy service refuses this request too, so the wait must end.
constexpr std::chrono::seconds limits_patience{120};
// A longer period is not accepted.
constexpr std::uint64_t period_days_max = 3660;

service_facts cyberian_facts() {
    service_facts facts;
    facts.base_url_variable = "CYBERIAN_BASE_URL";
    facts.default_base_url = "https://api.cyberiansystems.ai";
    facts.key_variable = "CYBERIAN_API_KEY";
    facts.ca_file_variable = "CYBERIAN_CA_FILE";
    facts.key_prefix = secret::cyberian_prefix;
    return facts;
}

connection_options connection_of(const client_options& options) {
    connection_options made;
    made.base_url = options.base_url;
    made.api_key = options.api_key;
    made.ca_file = options.ca_file;
    made.connections_max = options.connections_max;
    made.connect_timeout = options.connect_timeout;
    made.try_timeout = options.try_timeout;
    made.tries_max = options.tries_max;
    made.user_agent = options.user_agent;
    made.log = options.log;
    made.log_at_least = options.log_at_least;
    made.env = options.env;
    if (options.transport_override) {
        made.transports = [over = options.transport_override](const std::string&) { return over; };
    }
    return made;
}

policy::quota_limits own_limits(const throttle_options& throttle) {
    policy::quota_limits limits;
    limits.chunks_per_minute = throttle.chunks_per_minute;
    limits.requests_per_minute = throttle.requests_per_minute;
    limits.jobs_in_flight = throttle.jobs_in_flight;
    return limits;
}

std::optional<std::uint64_t> tighter(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
    return a && b ? std::optional(std::min(*a, *b)) : (a ? a : b);
}

// The service's count in its period, and the time on the local clock when the period ends.
policy::period_count count_of(const account_info& account, monotonic_time now, wall_time wall) {
    policy::period_count counted;
    counted.chunks = account.chunks_consumed_period;
    counted.period = account.chunks_period_started_at.value_or("");
    const std::optional<wall_time> began = text::parse_iso_time(counted.period);
    const std::uint64_t length = account.limits.period_length_days.value_or(0);
    if (length == 0 || length > period_days_max) {
        return counted;
    }
    counted.length = std::chrono::days(length);
    if (began && *began <= wall && wall - *began < std::chrono::days(period_days_max)) {
        counted.ends = deadline_after(now, counted.length - (wall - *began));
    }
    return counted;
}

class background_reading final : public running_operation {
public:
    void cancel() override { signal.emit(asio::cancellation_type::terminal); }
    asio::cancellation_signal signal;
    bool listed = false;  ///< It is in the client's list of operations.
};

}  // namespace

result<std::shared_ptr<client_core>> client_core::make(asio::any_io_executor executor, client_options options) {
    if (!options.learn_limits && !(options.quota_folder.empty() && options.pins_file.empty())) {
        return error(errc::invalid_argument,
                     "a quota folder and a pins file are kept by account, which /account tells: leave learn_limits on, "
                     "or give neither");
    }
    options.visible_within = bounded(options.visible_within);
    result<resolved_connection> resolved =
        resolve_connection(std::move(executor), connection_of(options), cyberian_facts());
    if (!resolved) {
        return resolved.error();
    }
    options.api_key = resolved->key;
    http::origin to = resolved->to;
    if (options.transport_override) {
        to.base_path.clear();  // The base URL is only a name then.
    }
    auto over = make_transport(*resolved, to);
    if (!over) {
        return over.error();
    }
    const std::shared_ptr<environment> env = resolved->env;
    auto pipeline = make_pipeline(*resolved, *over, own_limits(options.throttle), &cyberian::map_error);
    auto gate = pipeline->gate();
    auto api = std::make_shared<cyberian::endpoints>(std::move(pipeline));
    auto core = std::make_shared<client_core>(resolved->executor, env, *over, std::move(gate), std::move(api),
                                              resolved->to.url(), std::move(options));
    core->gate->on_resync_due([self = std::weak_ptr(core)] {
        if (const std::shared_ptr<client_core> there = self.lock()) {
            // This is posted because the gate is still working for the caller that noticed.
            asio::post(there->executor, [there] { there->begin_reading(); });
        }
    });
    return core;
}

client_core::client_core(asio::any_io_executor on, std::shared_ptr<environment> with, std::shared_ptr<transport> via,
                         std::shared_ptr<admission::gate> account_gate, std::shared_ptr<cyberian::endpoints> endpoints,
                         std::string url, client_options options)
    : operation_host(std::move(on), std::move(with)),
      over(std::move(via)),
      gate(std::move(account_gate)),
      api(std::move(endpoints)),
      base_url(std::move(url)),
      verify(options.verify),
      visible_within(options.visible_within),
      options_(std::move(options)),
      learning_(executor, env) {}

std::optional<std::string> client_core::use_of_other_keys(const account_info& account) const {
    return detail::use_of_other_keys(account.keys, options_.api_key->reveal());
}

asio::awaitable<result<void>> client_core::learn_limits(monotonic_time deadline) {
    const std::shared_ptr<client_core> self = shared_from_this();
    const auto settled = [this] { return limits_known_ || env->now() < ask_again_at_; };
    if (!options_.learn_limits || settled()) {
        co_return result<void>();
    }
    const std::uint64_t failed_before = readings_failed_;
    runtime::wait_queue::place place(learning_);
    while (!place.first() && !settled() && readings_failed_ == failed_before) {
        const wait_outcome outcome = co_await place.wait_until(deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while the account's limits were read");
        }
        if (outcome == wait_outcome::expired) {
            co_return error(errc::timeout, "the deadline passed while the account's limits were read");
        }
    }
    if (settled()) {
        co_return result<void>();
    }
    if (readings_failed_ != failed_before) {
        co_return last_reading_;
    }
    const monotonic_time until = std::min(deadline, deadline_after(env->now(), limits_patience));
    const result<account_info> account = co_await api->get_account(until);
    if (account) {
        account_id = account->account_id;
        const result<void> shared = co_await share_quota(deadline);
        if (!shared) {
            co_return shared;
        }
        const result<void> loaded = co_await load_pins(deadline);
        if (!loaded && (loaded.error().kind == errc::cancelled || loaded.error().kind == errc::timeout)) {
            co_return loaded;
        }
        if (!loaded) {
            ++readings_failed_;
            last_reading_ = loaded.error();
            learning_.wake_all();
            co_return last_reading_;
        }
        apply(*account);
        co_return result<void>();
    }
    const errc kind = account.error().kind;
    if ((kind == errc::timeout && until == deadline) || kind == errc::cancelled) {
        co_return account.error();
    }
    // Nothing is submitted until a response has shown that the service itself answers.
    if (kind == errc::unauthorized || account.error().code.empty()) {
        ++readings_failed_;
        last_reading_ = account.error();
        if (kind == errc::timeout) {
            last_reading_.kind = errc::network;
            last_reading_.message = "GET /account had no response in " + std::to_string(limits_patience.count()) + " s";
        }
        learning_.wake_all();
        co_return last_reading_;
    }
    ask_again_at_ = deadline_after(env->now(), limits_unknown_for);
    learning_.wake_all();
    env->log(log_level::warning, "limits_unknown", {log_field("reason", std::string(to_string(kind)))});
    co_return result<void>();
}

// Runs in the background: nobody waits for it, and its errors are only logged.
asio::awaitable<void> client_core::read_again() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const monotonic_time until = deadline_after(env->now(), limits_patience);
    const result<account_info> account = co_await api->get_account(until);
    if (account) {
        apply(*account);
    } else {
        env->log(log_level::info, "account_not_read",
                 {log_field("reason", std::string(to_string(account.error().kind)))});
    }
}

void client_core::begin_reading() {
    if (!options_.learn_limits || reading_again_ || is_shut_down()) {
        return;
    }
    // The reading leaves the list in every case, even if there is no memory to begin or continue it.
    const auto end = [self = shared_from_this()](background_reading* reading) {
        if (reading->listed) {
            self->remove(reading);
        }
        self->reading_again_ = false;
        delete reading;
    };
    const std::shared_ptr<background_reading> reading(new background_reading, end);
    reading_again_ = true;
    add(reading.get());
    reading->listed = true;
    auto on_end = [self = shared_from_this(), reading](const std::exception_ptr& thrown) {
        if (thrown) {
            self->env->log(log_level::error, "account_not_read", {log_field("reason", std::string("exception"))});
        }
    };
    asio::co_spawn(executor, read_again(), asio::bind_cancellation_slot(reading->signal.slot(), std::move(on_end)));
}

// Shares the quota as soon as the account is known and adds what was counted before. It fails only if the wait for it
// ended early.
asio::awaitable<result<void>> client_core::share_quota(monotonic_time deadline) {
    if (options_.quota_folder.empty() || quota_shared_ || account_id.empty()) {
        co_return result<void>();
    }
    quota_shared_ = true;
    const std::shared_ptr<client_core> self = shared_from_this();
    std::string path = quota_place(options_.quota_folder, base_url, account_id);
    const result<void> shared = co_await detail::share_quota(gate, env, std::move(path), deadline);
    quota_shared_ = shared.has_value();
    co_return shared;
}

// If pins cannot be read, that must not count as having none: failed checks would become not checkable.
asio::awaitable<result<void>> client_core::load_pins(monotonic_time deadline) {
    if (options_.pins_file.empty() || account_id.empty()) {
        co_return result<void>();
    }
    const auto read = std::make_shared<result<scheme_pins>>(error());
    std::function<void(const std::stop_token&)> reading = [read, path = options_.pins_file](const std::stop_token&) {
        *read = read_pins_file(path);
    };
    const wait_outcome outcome = co_await runtime::blocking_until(env, std::move(reading), deadline);
    if (outcome != wait_outcome::woken) {
        co_return not_waited_for(outcome, "the pins file was read");
    }
    if (!*read) {
        co_return read->error();
    }
    pins_kept_ = (*read)->of(pins_key(base_url, account_id));
    *pins = narrowed(pins_kept_, *pins);
    co_return result<void>();
}

asio::awaitable<void> client_core::keep_pins(monotonic_time deadline) {
    if (options_.pins_file.empty() || account_id.empty() || *pins == pins_kept_) {
        co_return;
    }
    const std::shared_ptr<client_core> self = shared_from_this();
    pins_kept_ = *pins;  // Concurrent calls need not store the same pins again.
    const auto kept = std::make_shared<result<account_pins>>(error());
    std::function<void(const std::stop_token&)> keeping =
        [kept, path = options_.pins_file, key = pins_key(base_url, account_id),
         learned = pins_kept_](const std::stop_token& stop) { *kept = add_to_pins_file(path, key, learned, stop); };
    const wait_outcome outcome = co_await runtime::blocking_until(env, std::move(keeping), deadline);
    if (outcome != wait_outcome::woken) {
        pins_kept_ = account_pins();  // The pins may not be stored: the next operation adds them.
        env->log(log_level::info, "pins_not_kept", {log_field("reason", "the operation's time was over")});
    } else if (*kept) {
        *pins = narrowed(**kept, *pins);
    } else {
        env->log(log_level::warning, "pins_not_kept", {log_field("reason", kept->error().message)});
    }
}

asio::awaitable<chunk_size> client_core::remembered_chunk_size(std::string key, monotonic_time deadline) {
    const auto size = std::make_shared<chunk_size>();
    if (!options_.quota_folder.empty()) {
        std::function<void(const std::stop_token&)> reading = [size, path = chunk_sizes_path(options_.quota_folder),
                                                               key = std::move(key)](const std::stop_token&) {
            *size = detail::remembered_chunk_size(path, key);
        };
        const wait_outcome outcome = co_await runtime::blocking_until(env, std::move(reading), deadline);
        co_return outcome == wait_outcome::woken ? *size : chunk_size();
    }
    co_return chunk_size();
}

asio::awaitable<void> client_core::remember_chunk_size(std::string key, chunk_size size, monotonic_time deadline) {
    if (options_.quota_folder.empty()) {
        co_return;
    }
    const std::shared_ptr<client_core> self = shared_from_this();
    const auto kept = std::make_shared<result<void>>();
    std::function<void(const std::stop_token&)> keeping = [kept, size, path = chunk_sizes_path(options_.quota_folder),
                                                           key = std::move(key)](const std::stop_token& stop) {
        *kept = detail::remember_chunk_size(path, key, size, stop);
    };
    const wait_outcome outcome = co_await runtime::blocking_until(env, std::move(keeping), deadline);
    if (outcome == wait_outcome::woken && !*kept) {
        env->log(log_level::info, "chunk_size_not_kept", {log_field("reason", kept->error().message)});
    }
}

void client_core::apply(const account_info& account) {
    limits = account.limits;
    tier_ends = cyberian::tier_end_of(account);
    policy::quota_limits together = own_limits(options_.throttle);
    together.chunks_per_minute = tighter(together.chunks_per_minute, limits.chunks_per_minute);
    together.chunks_per_day = limits.chunks_per_day;
    together.chunks_per_period = limits.chunks_per_period;
    gate->resync(together, count_of(account, env->now(), env->wall_now()));
    limits_known_ = true;
    learning_.wake_all();
}

}  // namespace vembed::detail
