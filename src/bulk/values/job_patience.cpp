#include "bulk/values/job_patience.hpp"

#include <algorithm>
#include <string_view>

#include "policy/input/body_text.hpp"
#include "policy/retry/backoff.hpp"

namespace vembed::bulk {
namespace {

// The number of looks that complete responses with differing faults get.
constexpr std::uint32_t contract_looks_max = 4;
// A second look tells damage on the way from damage at the source, and may say which chunks of a job failed; the others
// give a replica time to catch up.
constexpr std::uint32_t unproved_looks_max = 4;

// An accepted job is paid for. It is asked for again for minutes before it is left to a later run; if the service
// cannot be reached, for as long as submissions wait for it.
policy::backoff_options patience_on_the_way(errc with) {
    policy::backoff_options options;
    options.delay_ms_first = std::chrono::seconds(1);
    options.delay_ms_max = std::chrono::seconds(60);
    options.tries_max = with == errc::network ? 24 : 8;
    return options;
}

// One schedule serves the few looks that a complete response gets and a service that may yet know the job: waits double
// up to 8 s.
policy::backoff_options waits_for_sight() {
    policy::backoff_options options;
    options.delay_ms_first = std::chrono::seconds(1);
    options.delay_ms_max = std::chrono::seconds(8);
    options.tries_max = 1000;  // The elapsed time ends it.
    return options;
}

// A body that does not even begin like JSON was written by something in front of the service.
bool is_from_a_proxy(const error& why) noexcept {
    const std::string_view text = policy::body_text(why.raw_body);
    return !text.empty() && !text.starts_with('{');
}

// A documented code comes in a JSON body. If a body was too long to be kept whole, its beginning tells.
bool has_json_body(const error& why) noexcept {
    const std::string_view text = policy::body_text(why.raw_body);
    return !why.code.empty() || text.starts_with('{') || text.starts_with('[') || text.starts_with('"');
}

// If the service reports an error in its own form, it has failed at the one thing that it was asked for.
job_fault fault_of_server(const error& why, look_stage stage) noexcept {
    if (why.http_status == 502 || why.http_status == 503 || why.http_status == 504) {
        return job_fault::passing;
    }
    if (stage == look_stage::settling) {
        return why.code.empty() ? job_fault::passing : job_fault::not_yet;
    }
    return has_json_body(why) ? job_fault::contract : job_fault::not_yet;
}

job_fault fault_of_status(const error& why, look_stage stage) noexcept {
    if (why.http_status == 404 || why.http_status == 409 || why.http_status == 425) {
        return job_fault::not_yet;
    }
    if (why.http_status == 408 || why.http_status < 300) {
        return job_fault::passing;
    }
    if (why.http_status >= 500) {
        return fault_of_server(why, stage);
    }
    return why.code.empty() ? job_fault::not_yet : job_fault::contract;
}

std::string name_of(const error& why) {
    return std::string(to_string(why.kind)) + ' ' + std::to_string(why.http_status) + ' ' + why.code + ' ' +
           why.message;
}

}  // namespace

bool ranges_incomplete(const std::vector<offline_check>& checks) {
    return std::any_of(checks.begin(), checks.end(), [](const offline_check& check) {
        return check.name == "ranges" && check.verdict == check_verdict::failed;
    });
}

job_fault fault_of(const error& why, look_stage stage, bool results_incomplete) noexcept {
    switch (why.kind) {
        case errc::network: return why.lasting ? job_fault::last_word : job_fault::passing;
        case errc::rate_limited:
        case errc::too_many_inflight:
        case errc::quota_exceeded:
        case errc::service_busy: return job_fault::passing;
        case errc::api: return fault_of_status(why, stage);
        case errc::not_found: return job_fault::not_yet;
        case errc::protocol:
            return stage == look_stage::settling || is_from_a_proxy(why) ? job_fault::not_yet : job_fault::contract;
        case errc::response_too_large:
        case errc::invalid_request:
        case errc::unknown_model:
        case errc::request_too_large:
        case errc::verification_timeout:
        // The id that cannot be asked for came in a response: nobody else gave one.
        case errc::invalid_argument: return job_fault::contract;
        case errc::verification_failed: return results_incomplete ? job_fault::not_yet : job_fault::unproved;
        case errc::job_failed: return why.failed_chunks.empty() ? job_fault::unproved : job_fault::last_word;
        default: return job_fault::last_word;
    }
}

next_look job_patience::after(const error& why, look_stage stage, bool results_incomplete, monotonic_time now,
                              std::uint64_t random_bits) {
    next_look next;
    next.reaction = react_to_job(why);
    switch (fault_of(why, stage, results_incomplete)) {
        case job_fault::passing:
            next.after = policy::backoff_delay(patience_on_the_way(why.kind), ++passing_, random_bits);
            next.reaction = job_reaction::leave;
            break;
        case job_fault::not_yet: return after_not_yet(why, stage, results_incomplete, now, random_bits);
        case job_fault::contract: return after_contract(why, random_bits);
        case job_fault::unproved:
            if (++unproved_ < unproved_looks_max) {
                next.after = policy::backoff_delay(waits_for_sight(), unproved_, random_bits);
            } else if (next.reaction == job_reaction::withhold) {
                next.reaction = without_proof();
            }
            break;
        case job_fault::last_word: break;
    }
    return next;
}

next_look job_patience::after_not_yet(const error& why, look_stage stage, bool results_incomplete, monotonic_time now,
                                      std::uint64_t random_bits) {
    if (!not_yet_since_) {
        not_yet_since_ = now;
    }
    next_look next;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_after(*not_yet_since_, visible_within_) - now);
    if (left > std::chrono::milliseconds(0)) {
        const auto delay = policy::backoff_delay(waits_for_sight(), ++not_yet_, random_bits);
        next.after = std::min(delay.value_or(left), left);
        return next;
    }
    if (results_incomplete) {
        next.reaction = without_proof();
    } else {
        // Only the service itself can say that it has no such job. If it lacks only the receipt, it has the job: that
        // settled.
        const bool is_gone = stage == look_stage::settling && why.kind == errc::not_found && why.http_status == 404;
        next.reaction = is_gone && standing_ == job_standing::old ? job_reaction::lost : job_reaction::set_aside;
    }
    return next;
}

// Paid rows are given up only if a later look cannot bring them, or was made in vain.
job_reaction job_patience::without_proof() const noexcept {
    return standing_ == job_standing::fresh ? job_reaction::set_aside : job_reaction::withhold;
}

next_look job_patience::after_contract(const error& why, std::uint64_t random_bits) {
    std::string fault = name_of(why);
    same_contract_fault_ = fault == last_contract_fault_ ? same_contract_fault_ + 1 : 1;
    last_contract_fault_ = std::move(fault);
    next_look next;
    next.reaction = job_reaction::set_aside;
    if (++contract_ < contract_looks_max && same_contract_fault_ < same_fault_max) {
        next.after = policy::backoff_delay(waits_for_sight(), contract_, random_bits);
    }
    return next;
}

}  // namespace vembed::bulk
