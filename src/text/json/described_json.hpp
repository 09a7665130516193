#pragma once
/// Writes described types (BOOST_DESCRIBE_STRUCT) as JSON objects. A type is described in the source that writes it, in
/// the order in which its members are to stand.

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <vembed/core/row_ranges.hpp>

#include "text/json/json_value.hpp"

namespace vembed::text {

/// How a member is written that is an empty std::optional.
enum class absent : std::uint8_t { left_out, null };

/// The names of the texts that are left out if they are empty. For a type that has such texts, an overload for a
/// pointer to it stands beside its description.
constexpr std::array<std::string_view, 0> left_out_if_empty(const void*) {
    return {};
}

/// The members under their names: texts as json_string() gives them, enumerators as to_string() names them, numbers of
/// rows as ranges, durations in whole seconds or milliseconds with _s or _ms behind their name, described types and
/// lists of them in the same way.
template <absent How = absent::left_out, class T>
boost::json::object described(const T& of);

template <absent How = absent::left_out, class T>
boost::json::value described_value(const T& of) {
    if constexpr (std::same_as<T, std::string>) {
        return json_string(of);
    } else if constexpr (std::is_enum_v<T>) {
        return boost::json::string(to_string(of));
    } else if constexpr (std::same_as<T, std::vector<std::uint64_t>>) {
        return rows_array(of);
    } else if constexpr (std::same_as<T, row_ranges>) {
        return ranges_array(of);
    } else if constexpr (requires { typename T::value_type; }) {
        boost::json::array list;
        for (const auto& one : of) {
            list.push_back(described_value<How>(one));
        }
        return list;
    } else if constexpr (std::is_class_v<T>) {
        return described<How>(of);
    } else {
        return of;
    }
}

template <absent How, class T>
void set_described(boost::json::object& to, std::string_view name, const T& of) {
    if constexpr (std::same_as<T, std::chrono::seconds>) {
        to[std::string(name) + "_s"] = of.count();
    } else if constexpr (std::same_as<T, std::chrono::milliseconds>) {
        to[std::string(name) + "_ms"] = of.count();
    } else {
        to[name] = described_value<How>(of);
    }
}

template <absent How, class T>
void set_described(boost::json::object& to, std::string_view name, const std::optional<T>& of) {
    if (of) {
        set_described<How>(to, name, *of);
    } else if constexpr (How == absent::null) {
        to[name] = nullptr;
    }
}

template <absent How, class T>
boost::json::object described(const T& of) {
    boost::json::object out;
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
        const auto& value = of.*member.pointer;
        if constexpr (requires { value.empty(); }) {
            constexpr auto names = left_out_if_empty(static_cast<const T*>(nullptr));
            if (value.empty() && std::ranges::find(names, member.name) != names.end()) {
                return;
            }
        }
        set_described<How>(out, member.name, value);
    });
    return out;
}

}  // namespace vembed::text
