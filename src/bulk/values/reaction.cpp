#include "bulk/values/reaction.hpp"

namespace vembed::bulk {

submit_reaction react_to_submit(const error& f) noexcept {
    switch (f.kind) {
        case errc::network: return f.lasting ? submit_reaction::stop_busy : submit_reaction::wait_out;
        case errc::outcome_unknown: return submit_reaction::park;
        case errc::request_too_large:
        case errc::invalid_request: return submit_reaction::split;
        case errc::api: return f.http_status == 403 ? submit_reaction::narrow : submit_reaction::give_up;
        case errc::quota_exceeded: return submit_reaction::stop_quota;
        case errc::rate_limited:
        case errc::too_many_inflight:
        case errc::service_busy: return submit_reaction::stop_busy;
        case errc::cancelled:
        case errc::timeout: return submit_reaction::withdrawn;
        default: return submit_reaction::give_up;
    }
}

job_reaction react_to_job(const error& f) noexcept {
    switch (f.kind) {
        case errc::network: return f.lasting ? job_reaction::leave : job_reaction::try_again;
        case errc::protocol:
        case errc::rate_limited:
        case errc::too_many_inflight:
        case errc::quota_exceeded:
        case errc::service_busy: return job_reaction::try_again;
        case errc::api: return f.http_status >= 500 ? job_reaction::try_again : job_reaction::give_up;
        case errc::job_failed: return job_reaction::fail_rows;
        case errc::job_refunded: return job_reaction::resubmit;
        case errc::verification_failed: return job_reaction::withhold;
        case errc::not_found: return job_reaction::lost;
        case errc::cancelled:
        case errc::timeout: return job_reaction::leave;
        default: return job_reaction::give_up;
    }
}

}  // namespace vembed::bulk
