#include <algorithm>
#include <exception>
#include <new>

#include "core/redaction.hpp"
#include "local_service/guarded.hpp"
#include "service/endpoints/json_text.hpp"
#include "service/faults/draw.hpp"
#include "service/state.hpp"

namespace vembed::testing {

using vembed::service::endpoint;
using vembed::service::error_response;
using vembed::service::held_request;
using vembed::service::instead;
using vembed::service::purpose;
using vembed::service::refusal;
using vembed::service::route;

namespace {

// Bounds the held requests: if a front lost the connection of one, it never comes back for it.
constexpr std::size_t held_max = 65'536;

bool has_faults(const fault_rates& rates) {
    return rates.drop + rates.delay + rates.truncate + rates.rate_limited + rates.busy + rates.inflight +
               rates.retry_after_date + rates.bad_gateway + rates.empty_error + rates.failed_chunk + rates.refund +
               rates.wrong_shape + rates.corrupt + rates.invalid_receipt >
           0;
}

service_options sane(service_options options) {
    options.chunk_size = std::clamp<std::uint32_t>(options.chunk_size, 1, 1000);
    return options;
}

service_response broken_response() {
    service_response response;
    response.status = 500;
    return response;
}

}  // namespace

service::impl::impl(service_options options)
    : options_(sane(std::move(options))),
      faults_(options_.faults, options_.spoiled, options_.seed),
      any_faults_(has_faults(options_.faults)),
      jobs_(options_.retained_bytes_max),
      outputs_(jobs_, options_.output_cache_bytes_max, options_.seed, options_.commitment) {
    issuer_.seed = options_.seed;
    issuer_.scheme = options_.scheme;
    first_key_ = add_account();
}

std::string service::impl::add_account() {
    const std::size_t number = accounts_.size();
    std::string id = vembed::service::account_id_of(options_.seed, number);
    accounts_.push_back(std::make_unique<account>(std::move(id), number, options_));
    const bool given = number == 0 && !options_.api_key.empty();
    return add_key(*accounts_.back(), "trial", wall_time{}, given ? std::optional(options_.api_key) : std::nullopt);
}

// A label has at most five letters, so that a key's id, by which the account lists it, has at least two digits.
std::string service::impl::new_key(const account& to, std::uint64_t number, const std::string& label) const {
    for (std::uint64_t attempt = 0;; ++attempt) {
        const std::uint64_t about = number + (attempt << 32u);
        std::string text = "cyb_" + label + "_" + vembed::service::draw_hex(options_.seed, about, purpose::api_key, 32);
        const bool taken = std::any_of(to.keys.begin(), to.keys.end(), [&text](const auto& key) {
            return key.key_id == std::string_view(text).substr(0, key_id_length);
        });
        if (!taken) {
            return text;
        }
    }
}

std::string service::impl::add_key(account& to, std::string label, wall_time wall, std::optional<std::string> given) {
    const std::uint64_t number = keys_made_++;
    std::string text = given ? *std::move(given) : new_key(to, number, label);
    vembed::service::account_key key;
    key.key_id = text.substr(0, key_id_length);
    key.label = std::move(label);
    key.created_at = wall;
    keys_.insert_or_assign(text, key_place{&to, to.keys.size()});
    to.keys.push_back(std::move(key));
    return text;
}

service_arrival service::impl::arrive(std::uint64_t expected_size) {
    ++counters_.requests;
    const std::uint64_t ordinal = next_ordinal_++;
    if (any_faults_) {
        return faults_.arrive(ordinal, expected_size);
    }
    service_arrival arrival;
    arrival.ordinal = ordinal;
    return arrival;
}

held_request& service::impl::hold(std::uint64_t ordinal, monotonic_time until) {
    while (held_.size() >= held_max) {
        held_.erase(held_.begin());
    }
    held_request& entry = held_[ordinal];
    entry.until = until;
    return entry;
}

held_request* service::impl::held(std::uint64_t ordinal) {
    const auto found = held_.find(ordinal);
    return found == held_.end() ? nullptr : &found->second;
}

service::impl::account* service::impl::authenticate(std::string_view authorization, wall_time wall) {
    static constexpr std::string_view scheme = "Bearer ";
    const bool bearer = authorization.size() > scheme.size() &&
                        std::equal(scheme.begin(), scheme.end(), authorization.begin(),
                                   [](char expected, char c) { return (expected | 0x20) == (c | 0x20); });
    if (!bearer) {
        return nullptr;
    }
    bearer_.assign(authorization.substr(scheme.size()));
    const auto found = keys_.find(bearer_);
    if (found == keys_.end()) {
        return nullptr;
    }
    vembed::service::account_key& key = found->second.of->keys[found->second.index];
    if (key.revoked_at) {
        return nullptr;
    }
    key.last_used_at = wall;
    return found->second.of;
}

service_response service::impl::dispatch(const asked& call) {
    switch (call.where->to) {
        case endpoint::health: return show_health();
        case endpoint::models: return show_models();
        case endpoint::submit_job: return submit_job(call);
        case endpoint::job: return show_job(call);
        case endpoint::wait_job: return wait_job(call);
        case endpoint::job_results: return show_results(call);
        case endpoint::job_output: return show_output(call);
        case endpoint::verify: return verify_outputs(call);
        case endpoint::receipt: return show_receipt(call);
        case endpoint::verify_receipt: return verify_receipt(call);
        case endpoint::account: return show_account(call);
        case endpoint::rotate_key: return rotate_key(call);
        case endpoint::revoke_key: return revoke_key(call);
    }
    return broken_response();
}

// Authenticates and routes a request and applies faults; otherwise returns the endpoint's response, which may be a
// hold.
service_response service::impl::serve(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                      wall_time wall) {
    const answer<route> where = vembed::service::find_route(request.method, request.target);
    const bool open = where && where->to == endpoint::health;
    asked call;
    call.who = open ? nullptr : authenticate(request.authorization, wall);
    if (!open && call.who == nullptr) {
        return error_response(refusal(401, "unauthorized", "the API key is missing, unknown or revoked"));
    }
    if (!where) {
        return error_response(where.error());
    }
    call.ordinal = ordinal;
    call.request = &request;
    call.where = &*where;
    call.now = now;
    call.wall = wall;
    if (call.who != nullptr) {
        call.who->begin(now, wall);
        call.who->advance(now);
    }
    if (!any_faults_ || held(ordinal) != nullptr) {
        return dispatch(call);
    }
    const bool submits = where->to == endpoint::submit_job || where->to == endpoint::verify;
    const instead fault = faults_.instead_of(ordinal, submits, !open);
    if (fault == instead::nothing) {
        return dispatch(call);
    }
    const bool proxy = fault == instead::bad_gateway || fault == instead::empty_error;
    if (proxy && faults_.acts_first(ordinal)) {
        dispatch(call);
        held_.erase(ordinal);
    }
    return faults_.faulty_response(ordinal, fault);
}

// The last step for a response that is not a hold: delays or cuts it if that is planned.
service_response service::impl::finish(std::uint64_t ordinal, service_response response, monotonic_time now,
                                       wall_time wall) {
    held_.erase(ordinal);
    counters_.replies_rate_limited += response.status == 429 ? 1 : 0;
    if (!any_faults_) {
        return response;
    }
    faults_.date_retry_after(ordinal, response, wall);
    faults_.cut(ordinal, response);
    const std::optional<monotonic_clock::duration> delay = faults_.delay(ordinal);
    if (!delay) {
        return response;
    }
    service_response later;
    later.hold_until = deadline_after(now, *delay);
    hold(ordinal, *later.hold_until).response = std::move(response);
    return later;
}

service_response service::impl::handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                       wall_time wall) {
    if (held_request* const waiting = held(ordinal); waiting != nullptr) {
        if (now < waiting->until) {
            service_response still;
            still.hold_until = waiting->until;
            return still;
        }
        if (waiting->response) {
            service_response ready = *std::move(waiting->response);
            held_.erase(ordinal);
            return ready;
        }
    }
    service_response response = serve(ordinal, request, now, wall);
    return response.hold_until ? response : finish(ordinal, std::move(response), now, wall);
}

service_counters service::impl::counters() const {
    service_counters counted = counters_;
    counted.chunks_charged = accounts_.front()->charged();
    counted.chunks_in_a_minute_max = accounts_.front()->charged_in_a_minute_max();
    return counted;
}

void service::impl::set_max_inflight(std::uint32_t jobs) {
    options_.max_inflight = jobs;  // Accounts added later use it.
    for (const std::unique_ptr<account>& one : accounts_) {
        one->set_max_inflight(jobs);
    }
}

service::service(service_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
service::~service() = default;

service_arrival service::arrive(std::uint64_t expected_size) {
    return impl_->arrive(expected_size);
}

service_response service::handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                 wall_time wall) {
    return vembed::local_service::guarded([&] { return impl_->handle(ordinal, request, now, wall); });
}

const std::string& service::api_key() const noexcept {
    return impl_->first_key();
}

std::string service::add_account() {
    return impl_->add_account();
}

service_counters service::counters() const {
    return impl_->counters();
}

std::uint64_t service::unsettled_jobs(monotonic_time now) {
    return impl_->unsettled_jobs(now);
}

void service::set_max_inflight(std::uint32_t jobs) {
    impl_->set_max_inflight(jobs);
}

}  // namespace vembed::testing
