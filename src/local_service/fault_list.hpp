#pragma once
/// Reads lists of faults as options name them: `drop=0.02,stale=1`, or a file of such lines.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::local_service {

/// A probability from 0 to 1.
bool read_rate(std::string_view text, double& into);

/// A whole number from 1 to 86,400,000.
bool read_limit(std::string_view text, std::uint32_t& into);

/// A name that a list may have, and the member that it sets.
template <class Rates, class Number>
struct fault_name {
    std::string_view name;
    Number Rates::*member;
};

/// Whether `name` was in the table and `value` could be read by `read` into its member.
template <class Rates, class Number, class Read>
bool take_fault(std::span<const fault_name<Rates, Number>> names, std::string_view name, std::string_view value,
                Rates& into, Read read) {
    for (const auto& known : names) {
        if (known.name == name) {
            return read(value, into.*known.member);
        }
    }
    return false;
}

/// Calls `take(name, value)` for each item of the text, or, if it holds no '=', of the file it names, with one item a
/// line (# begins a comment). Fails with io if the file cannot be read, with invalid_argument if it is too long, and
/// with malformed(item) if an item is not name=value or is not taken.
result<void> read_fault_list(const std::string& text_or_path,
                             const std::function<bool(std::string_view name, std::string_view value)>& take,
                             const std::function<error(std::string_view item)>& malformed);

/// The error for an item that is not one of these names with a value.
template <class Rates>
error malformed_fault(std::string_view item, std::span<const fault_name<Rates, double>> rates,
                      std::span<const fault_name<Rates, std::uint32_t>> limits) {
    std::string message = "fault `" + std::string(item.substr(0, 80)) +
                          "` is not name=value with a known name; a value is a probability from 0 to 1:";
    for (const auto& known : rates) {
        message.append(" ").append(known.name);
    }
    message += "; or a whole number from 1 to 86400000:";
    for (const auto& known : limits) {
        message.append(" ").append(known.name);
    }
    return error(errc::invalid_argument, std::move(message));
}

/// Reads a list whose names are these.
template <class Rates>
result<Rates> parse_faults(const std::string& text_or_path, std::span<const fault_name<Rates, double>> rates,
                           std::span<const fault_name<Rates, std::uint32_t>> limits) {
    Rates faults;
    const result<void> read = read_fault_list(
        text_or_path,
        [&](std::string_view name, std::string_view value) {
            return take_fault(rates, name, value, faults, read_rate) ||
                   take_fault(limits, name, value, faults, read_limit);
        },
        [&](std::string_view item) { return malformed_fault(item, rates, limits); });
    return read ? result<Rates>(faults) : result<Rates>(read.error());
}

}  // namespace vembed::local_service
