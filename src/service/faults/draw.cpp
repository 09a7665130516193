#include "service/faults/draw.hpp"

namespace vembed::service {

std::string job_id_of(std::uint64_t seed, std::uint64_t job) {
    return draw_uuid(seed, job, purpose::job_id);
}

std::string receipt_id_of(std::uint64_t seed, std::uint64_t job) {
    return "r-" + draw_uuid(seed, job, purpose::receipt_id);
}

std::string execution_id_of(std::uint64_t seed, std::uint64_t job) {
    return "cyb-exec-" + draw_hex(seed, job, purpose::attestation, 16);
}

std::string account_id_of(std::uint64_t seed, std::uint64_t account) {
    return "acct-" + draw_uuid(seed, account, purpose::account_id);
}

}  // namespace vembed::service
