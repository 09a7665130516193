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

}  // namespace vembed::service
