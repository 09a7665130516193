#include "verify/json/ecma_number.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace vembed::verify {
namespace {

// A positive number as 0.d1d2d3… × 10^point, without trailing zeros. ECMA-262 calls the fields s, k and n.
class shortest_decimal {
public:
    explicit shortest_decimal(double value) {
        std::array<char, 32> text;
        const char* const end =
            std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
        const char* at = text.data();
        for (; *at != 'e'; ++at) {
            if (*at != '.') {
                digits_[count_++] = *at;
            }
        }
        // from_chars reads a minus sign but no plus sign.
        at += at[1] == '+' ? 2 : 1;
        int exponent = 0;
        std::from_chars(at, end, exponent);
        point_ = exponent + 1;
    }

    [[nodiscard]] std::string_view digits() const { return {digits_.data(), count_}; }
    [[nodiscard]] int count() const { return static_cast<int>(count_); }
    [[nodiscard]] int point() const { return point_; }

private:
    std::array<char, 24> digits_{};
    std::size_t count_ = 0;
    int point_ = 0;
};

void append_with_exponent(std::string& out, std::string_view digits, int exponent) {
    out += digits.front();
    if (digits.size() > 1) {
        out += '.';
        out += digits.substr(1);
    }
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
}

}  // namespace

void append_ecma_number(std::string& out, double value) {
    if (value == 0) {
        out += '0';
        return;
    }
    if (value < 0) {
        out += '-';
        value = -value;
    }
    const shortest_decimal decimal(value);
    const auto digits = decimal.digits();
    const int point = decimal.point();
    if (point > 21 || point <= -6) {
        append_with_exponent(out, digits, point - 1);
    } else if (point <= 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-point), '0');
        out += digits;
    } else if (decimal.count() <= point) {
        out += digits;
        out.append(static_cast<std::size_t>(point - decimal.count()), '0');
    } else {
        out += digits.substr(0, static_cast<std::size_t>(point));
        out += '.';
        out += digits.substr(static_cast<std::size_t>(point));
    }
}

}  // namespace vembed::verify
