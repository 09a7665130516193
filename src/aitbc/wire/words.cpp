#include <vembed/aitbc/types.hpp>

namespace vembed::aitbc {

std::string_view to_string(dialect which) noexcept {
    return which == dialect::docs ? "docs" : "coordinator";
}

std::string_view to_string(job_state state) noexcept {
    switch (state) {
        case job_state::waiting: return "waiting";
        case job_state::running: return "running";
        case job_state::completed: return "completed";
        case job_state::failed: return "failed";
        case job_state::cancelled: return "cancelled";
        case job_state::expired: return "expired";
        case job_state::unknown: return "unknown";
    }
    return "invalid";
}

std::string_view to_string(job_priority priority) noexcept {
    switch (priority) {
        case job_priority::low: return "low";
        case job_priority::normal: return "normal";
        case job_priority::high: return "high";
        case job_priority::urgent: return "urgent";
    }
    return "invalid";
}

}  // namespace vembed::aitbc
