#include "cli_parts/exit_code.hpp"

#include <array>

namespace vembed::cli {

exit_code exit_code_of(const error& f) noexcept {
    switch (f.kind) {
        case errc::invalid_argument: return exit_code::usage;
        case errc::unauthorized:
        case errc::trial_expired: return exit_code::unauthorized;
        case errc::verification_failed: return exit_code::verification_failed;
        case errc::folder_mismatch: return exit_code::other_run;
        case errc::quota_exceeded:
        case errc::rate_limited:
        case errc::too_many_inflight:
        case errc::service_busy:
        case errc::budget_exhausted:
        case errc::run_unfinished:
        case errc::cancelled: return exit_code::unfinished;
        // A request that was sent and may have had an effect gives outcome_unknown instead.
        case errc::network: return f.lasting ? exit_code::error : exit_code::unfinished;
        case errc::invalid_request:
        case errc::unknown_model:
        case errc::not_found:
        case errc::request_too_large:
        case errc::verification_timeout:
        case errc::api:
        // This is not `unfinished`: the same command again may pay, or make a key, a second time.
        case errc::outcome_unknown:
        case errc::protocol:
        case errc::response_too_large:
        case errc::job_failed:
        case errc::job_refunded:
        case errc::job_cancelled:
        case errc::job_expired:
        case errc::timeout:
        case errc::io:
        case errc::bad_input:
        case errc::model_changed:
        case errc::journal_damaged:
        case errc::callback_failed:
        case errc::out_of_memory: return exit_code::error;
    }
    return exit_code::error;
}

exit_code exit_code_of(check_verdict verdict) noexcept {
    switch (verdict) {
        case check_verdict::failed: return exit_code::verification_failed;
        case check_verdict::not_checkable: return exit_code::not_checkable;
        case check_verdict::verified: break;
    }
    return exit_code::done;
}

exit_code worse_of(exit_code so_far, exit_code next) noexcept {
    constexpr std::array order = {exit_code::unauthorized, exit_code::unfinished, exit_code::usage, exit_code::error};
    for (const exit_code one : order) {
        if (so_far == one || next == one) {
            return one;
        }
    }
    return so_far == exit_code::done ? next : so_far;
}

}  // namespace vembed::cli
