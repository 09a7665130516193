#include <array>
#include <span>

#include <vembed/testing/aitbc_service.hpp>

#include "local_service/fault_list.hpp"

namespace vembed::testing {
namespace {

constexpr auto rate_names = std::to_array<vembed::local_service::fault_name<aitbc_faults, double>>({
    {"drop", &aitbc_faults::drop},
    {"lost_reply", &aitbc_faults::lost_reply},
    {"bad_gateway", &aitbc_faults::bad_gateway},
    {"internal_error", &aitbc_faults::internal_error},
    {"rate_limited", &aitbc_faults::rate_limited},
    {"failed", &aitbc_faults::failed},
    {"failed_result", &aitbc_faults::failed_result},
    {"no_result", &aitbc_faults::no_result},
    {"never_runs", &aitbc_faults::never_runs},
    {"late_result", &aitbc_faults::late_result},
});
constexpr auto limit_names = std::to_array<vembed::local_service::fault_name<aitbc_faults, std::uint32_t>>({
    {"late_by_ms", &aitbc_faults::late_by_ms},
});

}  // namespace

result<aitbc_faults> aitbc_faults::parse(const std::string& text_or_path) {
    return vembed::local_service::parse_faults<aitbc_faults>(text_or_path, rate_names, limit_names);
}

}  // namespace vembed::testing
