#pragma once
/// Everything that reads bytes from outside, as functions of one input: for libFuzzer, and for a test over stored
/// seeds.

#include <span>
#include <string_view>

namespace vembed::fuzz {

class entry {
public:
    std::string_view name;  ///< Also the folder of its seeds.
    /// Takes any bytes. Throws std::logic_error where what it reads breaks a promise.
    void (*read)(std::string_view input) = nullptr;
};

std::span<const entry> entries();

}  // namespace vembed::fuzz
