#include <vembed/core/error.hpp>

#include <ostream>

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/list.hpp>

namespace vembed {

BOOST_DESCRIBE_ENUM(errc, invalid_argument, invalid_request, unknown_model, unauthorized, trial_expired, quota_exceeded,
                    not_found, request_too_large, verification_failed, rate_limited, too_many_inflight, service_busy,
                    verification_timeout, api, network, outcome_unknown, protocol, response_too_large, job_failed,
                    job_refunded, job_cancelled, job_expired, timeout, cancelled, io, bad_input, folder_mismatch,
                    run_unfinished, model_changed, journal_damaged, budget_exhausted, callback_failed, out_of_memory)
static_assert(boost::mp11::mp_size<boost::describe::describe_enumerators<errc>>::value ==
              static_cast<std::size_t>(errc::out_of_memory) + 1);

namespace {

constexpr std::size_t max_described = 512;

// Server text may hold anything, and control characters could act on the reader's terminal.
void append_escaped(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    for (const char c : text.substr(0, max_described)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        } else {
            out += c;
        }
    }
    if (text.size() > max_described) {
        out += "...";
    }
}

}  // namespace

std::string_view to_string(errc kind) noexcept {
    return boost::describe::enum_to_string(kind, "invalid");
}

std::string error::describe() const {
    std::string out(to_string(kind));
    out += ": ";
    append_escaped(out, message);
    std::string notes;
    const auto note = [&notes](std::string_view name, std::string_view value) {
        notes += notes.empty() ? " (" : ", ";
        notes += name;
        notes += ' ';
        append_escaped(notes, value);
    };
    if (http_status != 0) {
        note("HTTP", std::to_string(http_status));
    }
    if (!code.empty()) {
        note("code", code);
    }
    if (!job_id.empty()) {
        note("job", job_id);
    }
    if (!receipt_id.empty()) {
        note("receipt", receipt_id);
    }
    if (retry_after) {
        note("retry after", std::to_string(retry_after->count()) + " s");
    }
    return notes.empty() ? out : out + notes + ")";
}

std::ostream& operator<<(std::ostream& out, const error& f) {
    return out << f.describe();
}

void throw_failure(const error& f) {
    switch (f.kind) {
        case errc::unauthorized: throw auth_error(f);
        case errc::trial_expired: throw trial_expired_error(f);
        case errc::quota_exceeded:
        case errc::request_too_large:
        case errc::budget_exhausted: throw quota_error(f);
        case errc::rate_limited:
        case errc::too_many_inflight: throw rate_limit_error(f);
        case errc::service_busy: throw service_busy_error(f);
        case errc::verification_failed: throw verification_failed_error(f);
        case errc::job_failed: throw job_failed_error(f);
        case errc::job_refunded: throw job_refunded_error(f);
        case errc::job_cancelled: throw job_cancelled_error(f);
        case errc::job_expired: throw job_expired_error(f);
        case errc::network: throw network_error(f);
        case errc::outcome_unknown: throw outcome_unknown_error(f);
        case errc::timeout: throw timeout_error(f);
        case errc::cancelled: throw cancelled_error(f);
        case errc::invalid_argument:
        case errc::bad_input: throw argument_error(f);
        case errc::io:
        case errc::folder_mismatch:
        case errc::run_unfinished:
        case errc::journal_damaged: throw storage_error(f);
        case errc::callback_failed: throw callback_error(f);
        case errc::out_of_memory: throw memory_error(f);
        case errc::invalid_request:
        case errc::unknown_model:
        case errc::not_found:
        case errc::verification_timeout:
        case errc::model_changed:
        case errc::api:
        case errc::protocol:
        case errc::response_too_large: break;
    }
    throw api_error(f);
}

}  // namespace vembed
