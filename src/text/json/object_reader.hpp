#pragma once
/// Reads the members of a JSON object that a service wrote: strictly if they are required, tolerantly if not.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>

namespace vembed::text {

namespace json = boost::json;

/// errc::protocol: the response breaks the wire contract in the way that `what` says.
error contract_error(std::string what);

/// A body that must be one JSON document, else a contract_error().
result<json::value> parse_json(std::string_view body);

/// A body that must be one JSON object, else a contract_error().
result<json::value> parse_object(std::string_view body);

/// Reads members of one object and remembers the first that is wrong, so that a codec reads like the contract's table.
/// A required member is read strictly and its fault prevents the result; an optional member is left as it is if it is
/// absent, null or of an unexpected type. The object must outlive the reader.
class object_reader {
public:
    explicit object_reader(const json::object& from) : from_(&from) {}

    void required(std::string& into, std::string_view name);
    void required(std::uint64_t& into, std::string_view name);
    void required(bool& into, std::string_view name);

    /// An id is a text; a number counts as one.
    void required_id(std::string& into, std::string_view name);

    /// Leaves `into` as it is if the member is absent or cannot be an id.
    void optional_id(std::string& into, std::string_view name);

    /// A string or an optional string.
    template <class Text>
    requires std::is_assignable_v<Text&, std::string>
    void optional(Text& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && found->is_string()) {
            into = std::string(found->get_string());
        }
    }

    void optional(std::optional<std::uint64_t>& into, std::string_view name);
    /// A finite number, also if it stands in a string ("1.50").
    void optional(std::optional<double>& into, std::string_view name);
    void optional(std::uint64_t& into, std::string_view name) { into = count(name).value_or(into); }
    void optional(bool& into, std::string_view name);

    /// Null if the member is absent or not an array, which is an error if it is `needed`.
    const json::array* array(std::string_view name, bool needed);

    /// Null if the member is absent or not an object.
    const json::object* object(std::string_view name);

    /// Calls `read(from, item)` for each item of an array: `from` reads the members of `item`. An item that is not an
    /// object is an error. False if the member is absent or not an array, which is an error if it is `needed`.
    template <class Read>
    bool each_object(std::string_view name, bool needed, Read read) {
        const json::array* items = array(name, needed);
        if (items == nullptr) {
            return false;
        }
        for (const json::value& item : *items) {
            if (!item.is_object()) {
                wrong(name, "an array of objects");
                break;
            }
            object_reader from(item.get_object());
            read(from, item);
            absorb(from);
        }
        return true;
    }

    /// The strings of an optional array; its other items are ignored.
    void strings(std::vector<std::string>& into, std::string_view name);

    /// The first of a member's spellings that is there and not null; the first spelling if none is.
    [[nodiscard]] std::string_view spelled(std::initializer_list<std::string_view> names) const;

    /// The member as it is; null if it is absent or JSON's null.
    [[nodiscard]] const json::value* any(std::string_view name) const { return present(name); }

    [[nodiscard]] bool has_any(std::initializer_list<std::string_view> names) const;

    /// Remembers the error that the member is not what was wanted, if it is the first.
    void wrong(std::string_view name, std::string_view wanted);

    /// Takes over the error of the reader of a member, if it is the first.
    void absorb(const object_reader& inner);

    [[nodiscard]] const std::optional<vembed::error>& error() const noexcept { return error_; }

private:
    /// Null if the member is absent or is JSON's null.
    [[nodiscard]] const json::value* present(std::string_view name) const;

    [[nodiscard]] std::optional<std::uint64_t> count(std::string_view name) const;

    const json::object* from_;
    std::optional<vembed::error> error_;
};

/// Hands the object that `value` must be to `fill` and keeps it in `raw`.
template <class T, class Fill>
result<T> read_value(json::value value, Fill fill) {
    if (!value.is_object()) {
        return contract_error("not a JSON object");
    }
    T made;
    object_reader from(value.get_object());
    fill(from, made);
    if (from.error()) {
        return *from.error();
    }
    made.raw = std::move(value);
    return made;
}

/// Parses `body` and reads it as read_value() does. An error has the beginning of the body.
template <class T, class Fill>
result<T> read_as(std::string_view body, Fill fill) {
    result<json::value> parsed = parse_json(body);
    result<T> read = parsed ? read_value<T>(std::move(*parsed), fill) : result<T>(parsed.error());
    if (!read) {
        error f = read.error();
        f.raw_body = std::string(body.substr(0, error::max_raw_body));
        return f;
    }
    return read;
}

}  // namespace vembed::text
