#include "service/faults/draw.hpp"

namespace vembed::service {

std::string draw_hex(std::uint64_t seed, std::uint64_t about, purpose what, std::size_t digits) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    out.reserve(digits);
    std::uint64_t bits = draw(seed, about, what);
    for (std::size_t i = 0; i < digits; ++i) {
        if (i != 0 && i % 16 == 0) {
            bits = mix64(bits + i);
        }
        out += hex[(bits >> (4 * (i % 16))) & 15];
    }
    return out;
}

std::string draw_uuid(std::uint64_t seed, std::uint64_t about, purpose what) {
    static constexpr char variants[] = "89ab";
    std::string out = draw_hex(seed, about, what, 32);
    out[12] = '4';
    out[16] = variants[out[16] % 4];
    for (const std::size_t dash : {8, 13, 18, 23}) {
        out.insert(dash, 1, '-');
    }
    return out;
}

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
