#include "corpus/records/jsonl_salvage.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace vembed::corpus {
namespace {

constexpr std::string_view white_space = " \t\r\n";

/// Takes tokens from the front of a text. The token is empty if the text does not begin with one.
class tokens {
public:
    explicit tokens(std::string_view text) : rest_(text) {}

    bool take(char wanted) {
        pass_space();
        const bool there = rest_.starts_with(wanted);
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }

    std::string_view take_string() {
        pass_space();
        return rest_.starts_with('"') ? cut(string_end(0)) : std::string_view();
    }

    std::string_view take_value() {
        pass_space();
        if (rest_.starts_with('"')) {
            return take_string();
        }
        return rest_.starts_with('{') || rest_.starts_with('[') ? cut(nested_end()) : cut(word_end());
    }

    [[nodiscard]] bool at_end() {
        pass_space();
        return rest_.empty();
    }

private:
    void pass_space() {
        const std::size_t from = rest_.find_first_not_of(white_space);
        rest_.remove_prefix(from == std::string_view::npos ? rest_.size() : from);
    }

    std::string_view cut(std::size_t size) {
        const std::string_view token = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return token;
    }

    // The position behind the closing quote of the string that begins at `from`; 0 if it is not closed.
    [[nodiscard]] std::size_t string_end(std::size_t from) const {
        for (std::size_t i = from + 1; i < rest_.size(); ++i) {
            if (rest_[i] == '\\') {
                ++i;
            } else if (rest_[i] == '"') {
                return i + 1;
            }
        }
        return 0;
    }

    [[nodiscard]] std::size_t nested_end() const {
        std::string closing;  // the brackets still to be closed, the outermost first
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (c == '"') {
                const std::size_t end = string_end(i);
                if (end == 0) {
                    return 0;
                }
                i = end - 1;
            } else if (c == '{' || c == '[') {
                closing += c == '{' ? '}' : ']';
            } else if (c == '}' || c == ']') {
                if (closing.back() != c) {
                    return 0;
                }
                closing.pop_back();
                if (closing.empty()) {
                    return i + 1;
                }
            }
        }
        return 0;
    }

    // Takes a number or a word such as true, NaN or -Infinity.
    [[nodiscard]] std::size_t word_end() const {
        const std::size_t end =
            rest_.find_first_not_of("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        return end == std::string_view::npos ? rest_.size() : end;
    }

    std::string_view rest_;
};

/// The name that a key decodes to; nothing if it does not decode, for example half a surrogate pair.
std::optional<std::string> name_of(std::string_view key) {
    boost::json::error_code error;
    const boost::json::value name = boost::json::parse(key, error);
    return !error && name.is_string() ? std::optional(std::string(name.as_string())) : std::nullopt;
}

}  // namespace

salvaged_record salvage_record(std::string_view line, std::string_view text_field, std::string_view id_field) {
    salvaged_record found;
    tokens from(line);
    if (!from.take('{')) {
        return found;
    }
    if (from.take('}')) {
        found.whole = from.at_end();
        found.asked = "{}";
        return found;
    }
    for (char before = '{';; before = ',') {
        const std::string_view key = from.take_string();
        if (key.empty() || !from.take(':')) {
            return found;
        }
        const std::string_view value = from.take_value();
        if (value.empty()) {
            return found;
        }
        const std::optional<std::string> name = name_of(key);
        const bool is_id = !id_field.empty() && name == id_field;
        found.id = is_id ? value : found.id;
        // A key that does not decode matches no field, and the object would not be JSON with it.
        found.asked.append(1, before).append(name ? key : std::string_view("\"\"")).append(1, ':');
        found.asked.append(is_id || name == text_field ? value : std::string_view("null"));
        if (from.take('}')) {
            found.asked += '}';
            found.whole = from.at_end();
            return found;
        }
        if (!from.take(',')) {
            return found;
        }
    }
}

}  // namespace vembed::corpus
