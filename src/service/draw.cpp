#include "service/draw.hpp"

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

std::string job_id_of(std::uint64_t seed, std::uint64_t job) {
    return "job_" + draw_hex(seed, job, purpose::job_id, 20);
}

std::string receipt_id_of(std::uint64_t seed, std::uint64_t job) {
    return "rcp_" + draw_hex(seed, job, purpose::receipt_id, 20);
}

}  // namespace vembed::service
