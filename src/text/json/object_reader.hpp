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
    void optional(std::uint64_t& into, std::string_view name) { into = count(name).value_or(into); }
    void optional(bool& into, std::string_view name);

    /// A finite number, also one that is written as a text.
    void optional(std::optional<double>& into, std::string_view name);

    /// Null if the member is absent or not an array, which is an error if it is `needed`.
    const json::array* array(std::string_view name, bool needed);

    /// Null if the member is absent or not an object.
    const json::object* object(std::string_view name);

    /// The strings of an optional array; its other items are ignored.
    void strings(std::vector<std::string>& into, std::string_view name);

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

/// Parses `body`, hands the object to `fill` and keeps the JSON in `raw`.
template <class T, class Fill>
result<T> read_as(std::string_view body, Fill fill) {
    result<json::value> parsed = parse_object(body);
    if (!parsed) {
        error f = parsed.error();
        f.raw_body = std::string(body.substr(0, error::max_raw_body));
        return f;
    }
    T made;
    object_reader from(parsed->get_object());
    fill(from, made);
    if (from.error()) {
        error f = *from.error();
        f.raw_body = std::string(body.substr(0, error::max_raw_body));
        return f;
    }
    made.raw = std::move(*parsed);
    return made;
}

}  // namespace vembed::text
