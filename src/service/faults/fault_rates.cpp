#include <array>
#include <span>
#include <string_view>

#include <vembed/testing/service.hpp>

#include "local_service/fault_list.hpp"

namespace vembed::testing {
namespace {

using rate_name = vembed::local_service::fault_name<fault_rates, double>;
constexpr auto rate_names = std::to_array<rate_name>({
    {"drop", &fault_rates::drop},
    {"delay", &fault_rates::delay},
    {"truncate", &fault_rates::truncate},
    {"rate_limited", &fault_rates::rate_limited},
    {"busy", &fault_rates::busy},
    {"inflight", &fault_rates::inflight},
    {"retry_after_date", &fault_rates::retry_after_date},
    {"bad_gateway", &fault_rates::bad_gateway},
    {"empty_error", &fault_rates::empty_error},
    {"failed_chunk", &fault_rates::failed_chunk},
    {"refund", &fault_rates::refund},
    {"wrong_shape", &fault_rates::wrong_shape},
    {"corrupt", &fault_rates::corrupt},
    {"invalid_receipt", &fault_rates::invalid_receipt},
});

using limit_name = vembed::local_service::fault_name<fault_rates, std::uint32_t>;
constexpr auto limit_names = std::to_array<limit_name>({
    {"delay_ms_max", &fault_rates::delay_ms_max},
    {"retry_after_s_max", &fault_rates::retry_after_s_max},
});

error malformed(std::string_view item) {
    std::string message = "fault `" + std::string(item.substr(0, 80)) +
                          "` is not name=value with a known name; a value is a probability from 0 to 1:";
    for (const rate_name& known : rate_names) {
        message += ' ';
        message += known.name;
    }
    for (const proof_fault fault : proof_faults) {
        message += ' ';
        message += to_string(fault);
    }
    message += "; or a whole number from 1 to 86400000:";
    for (const limit_name& known : limit_names) {
        message += ' ';
        message += known.name;
    }
    return error(errc::invalid_argument, std::move(message));
}

// The rate of that name; null if there is none.
double* rate_named(std::string_view name, fault_rates& rates) {
    for (const rate_name& known : rate_names) {
        if (known.name == name) {
            return &(rates.*known.member);
        }
    }
    const auto fault = proof_fault_named(name);
    return fault ? &rates.proof[static_cast<std::size_t>(*fault)] : nullptr;
}

bool take(std::string_view name, std::string_view value, fault_rates& rates) {
    if (double* const rate = rate_named(name, rates)) {
        return vembed::local_service::read_rate(value, *rate);
    }
    return vembed::local_service::take_fault(std::span<const limit_name>(limit_names), name, value, rates,
                                             vembed::local_service::read_limit);
}

}  // namespace

result<fault_rates> fault_rates::parse(const std::string& text_or_path) {
    fault_rates rates;
    const result<void> read = vembed::local_service::read_fault_list(
        text_or_path, [&rates](std::string_view name, std::string_view value) { return take(name, value, rates); },
        malformed);
    return read ? result<fault_rates>(rates) : result<fault_rates>(read.error());
}

}  // namespace vembed::testing
