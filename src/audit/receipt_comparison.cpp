#include "audit/receipt_comparison.hpp"

#include <string>
#include <utility>

namespace vembed::audit {

std::vector<std::string_view> differing_fields(const receipt& kept, const receipt& served) {
    static constexpr std::pair<std::string_view, std::string receipt::*> fields[] = {
        {"receipt_id", &receipt::receipt_id},
        {"job_id", &receipt::job_id},
        {"spec_hash", &receipt::spec_hash},
        {"inputs_root", &receipt::inputs_root},
        {"outputs_root", &receipt::outputs_root},
        {"verification_attestation", &receipt::verification_attestation},
        {"verification_level", &receipt::verification_level},
        {"issued_at", &receipt::issued_at},
        {"receipt_hash", &receipt::receipt_hash}};
    std::vector<std::string_view> differing;
    for (const auto& [name, field] : fields) {
        if (kept.*field != served.*field) {
            differing.push_back(name);
        }
    }
    if (kept.executor_attestation_ids != served.executor_attestation_ids) {
        differing.emplace_back("executor_attestation_ids");
    }
    return differing;
}

}  // namespace vembed::audit
