#include "local_service/draw.hpp"

namespace vembed::local_service {

std::string hex_of_bits(std::uint64_t bits, std::size_t digits) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    out.reserve(digits);
    for (std::size_t i = 0; i < digits; ++i) {
        if (i != 0 && i % 16 == 0) {
            bits = mix64(bits + i);
        }
        out += hex[(bits >> (4 * (i % 16))) & 15];
    }
    return out;
}

std::string uuid_of_bits(std::uint64_t bits) {
    static constexpr char variants[] = "89ab";
    std::string out = hex_of_bits(bits, 32);
    out[12] = '4';
    out[16] = variants[out[16] % 4];
    for (const std::size_t dash : {8, 13, 18, 23}) {
        out.insert(dash, 1, '-');
    }
    return out;
}

}  // namespace vembed::local_service
