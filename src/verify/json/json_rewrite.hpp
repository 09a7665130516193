#pragma once
/// Rewrites a JSON text in one of several fixed forms, so that it can be hashed. A form is data: an order of members, a
/// way to write numbers, a way to write strings.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::verify {

/// The order of an object's members.
enum class member_order : std::uint8_t { utf16, code_point, as_received };

/// `ecma` writes the nearest double as ECMAScript does and refuses an integer that no double has. `literal` keeps the
/// text as received.
enum class number_text : std::uint8_t { ecma, literal };

/// `shortest` uses the fewest escapes (RFC 8785). `ascii` writes everything outside printable ASCII as \uXXXX.
enum class string_text : std::uint8_t { shortest, ascii };

class json_form {
public:
    member_order order = member_order::utf16;
    number_text numbers = number_text::ecma;
    string_text strings = string_text::shortest;

    constexpr json_form() = default;
    constexpr json_form(member_order the_order, number_text the_numbers, string_text the_strings)
        : order(the_order), numbers(the_numbers), strings(the_strings) {}
};

/// An edit of one member of the outermost object: it is left out, or its value is replaced by "".
class member_edit {
public:
    std::string_view key;
    bool emptied = false;

    member_edit() = default;
    member_edit(std::string_view member_key, bool make_empty) : key(member_key), emptied(make_empty) {}
};

/// `text` in `form`, without white space. If there is an edit, the text must be an object. The errors are those of
/// canonical_json.
result<std::string> rewrite_json(std::string_view text, const json_form& form,
                                 const std::optional<member_edit>& edit = std::nullopt);

}  // namespace vembed::verify
