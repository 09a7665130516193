#include <array>

#include <vembed/testing/cyberun_service.hpp>

#include "local_service/fault_list.hpp"

namespace vembed::testing {
namespace {

constexpr auto cyberun_rate_names = std::to_array<vembed::local_service::fault_name<cyberun_faults, double>>({
    {"drop", &cyberun_faults::drop},
    {"bad_gateway", &cyberun_faults::bad_gateway},
    {"internal_error", &cyberun_faults::internal_error},
    {"rate_limited", &cyberun_faults::rate_limited},
    {"failed", &cyberun_faults::failed},
    {"goes_back", &cyberun_faults::goes_back},
    {"no_output", &cyberun_faults::no_output},
    {"sse_cut", &cyberun_faults::sse_cut},
    {"sse_silent", &cyberun_faults::sse_silent},
    {"sse_buffered", &cyberun_faults::sse_buffered},
    {"sse_errors", &cyberun_faults::sse_errors},
    {"sse_cr", &cyberun_faults::sse_cr},
    {"sse_comments", &cyberun_faults::sse_comments},
    {"sse_split", &cyberun_faults::sse_split},
    {"sse_no_terminal", &cyberun_faults::sse_no_terminal},
    {"sse_refused", &cyberun_faults::sse_refused},
    {"store_cut", &cyberun_faults::store_cut},
    {"store_slow_down", &cyberun_faults::store_slow_down},
    {"store_gone", &cyberun_faults::store_gone},
    {"store_redirect", &cyberun_faults::store_redirect},
});
constexpr auto cyberun_limit_names = std::to_array<vembed::local_service::fault_name<cyberun_faults, std::uint32_t>>({
    {"sse_cut_bytes", &cyberun_faults::sse_cut_bytes},
    {"store_cut_bytes", &cyberun_faults::store_cut_bytes},
});

}  // namespace

result<cyberun_faults> cyberun_faults::parse(const std::string& text_or_path) {
    return vembed::local_service::parse_faults<cyberun_faults>(text_or_path, cyberun_rate_names, cyberun_limit_names);
}

}  // namespace vembed::testing
