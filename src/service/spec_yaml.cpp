#include "service/spec_yaml.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace vembed::service {
namespace {

constexpr std::size_t lines_max = 1000;
constexpr std::size_t depth_max = 8;
constexpr std::uint32_t chunk_size_max = 1000;

std::string_view trim_right(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view trim(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    return trim_right(text);
}

bool is_key(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    });
}

// A comment may follow a scalar only after the scalar's end.
bool only_comment(std::string_view rest) {
    const std::string_view text = trim(rest);
    return text.empty() || (text.front() == '#' && rest.front() == ' ');
}

std::optional<std::string> read_quoted(std::string_view text) {
    const char quote = text.front();
    const std::size_t end = text.find(quote, 1);
    if (end == std::string_view::npos || !only_comment(text.substr(end + 1))) {
        return std::nullopt;
    }
    const std::string_view inner = text.substr(1, end - 1);
    return inner.find('\\') == std::string_view::npos ? std::optional(std::string(inner)) : std::nullopt;
}

// One line's scalar; empty for none (a mapping follows); nothing where it is outside the subset.
std::optional<std::string> read_scalar(std::string_view text) {
    text = trim(text);
    if (text.empty() || text.front() == '#') {
        return std::string();
    }
    if (text.front() == '"' || text.front() == '\'') {
        return read_quoted(text);
    }
    if (std::string_view("[]{}&*!|>%@`,?-").find(text.front()) != std::string_view::npos ||
        text.find(": ") != std::string_view::npos || text.back() == ':') {
        return std::nullopt;
    }
    return std::string(trim_right(text.substr(0, text.find(" #"))));
}

class spec_reader {
public:
    answer<std::map<std::string, std::string>> read(std::string_view yaml) {
        for (line_ = 1; !yaml.empty(); ++line_) {
            const std::size_t end = std::min(yaml.find('\n'), yaml.size());
            const std::string_view line = yaml.substr(0, end);
            yaml.remove_prefix(std::min(end + 1, yaml.size()));
            if (line_ > lines_max) {
                return refuse("is one too many");
            }
            if (const std::string_view text = trim(line); text.empty() || text.front() == '#' || text == "---") {
                continue;
            }
            if (std::optional<refusal> problem = take_line(line)) {
                return *std::move(problem);
            }
        }
        return std::move(values_);
    }

private:
    struct level {
        std::size_t indent;
        std::string prefix;
    };

    [[nodiscard]] refusal refuse(std::string_view what) const {
        return invalid_request("spec_yaml line " + std::to_string(line_) + " " + std::string(what));
    }

    std::optional<refusal> take_line(std::string_view line) {
        const std::size_t indent = line.find_first_not_of(' ');
        const std::string_view text = trim_right(line.substr(indent));
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos || !is_key(text.substr(0, colon)) ||
            (colon + 1 < text.size() && text[colon + 1] != ' ')) {
            return refuse("is not `key: value` or `key:`");
        }
        while (!levels_.empty() && levels_.back().indent > indent) {
            levels_.pop_back();
        }
        if (levels_.empty() || levels_.back().indent < indent) {
            if (indent != 0 && !parent_open_) {
                return refuse("is indented below nothing");
            }
            if (levels_.empty() && indent != 0) {
                return refuse("does not match the indentation above it");
            }
            levels_.push_back(level{indent, indent == 0 ? std::string() : last_key_ + "."});
        }
        if (levels_.size() > depth_max) {
            return refuse("is nested too deeply");
        }
        std::optional<std::string> value = read_scalar(text.substr(colon + 1));
        if (!value) {
            return refuse("holds a value that is not a plain or quoted scalar");
        }
        last_key_ = levels_.back().prefix + std::string(text.substr(0, colon));
        parent_open_ = value->empty();
        if (!values_.emplace(last_key_, *std::move(value)).second) {
            return refuse("gives a key a second time");
        }
        return std::nullopt;
    }

    std::vector<level> levels_;
    std::map<std::string, std::string> values_;
    std::string last_key_;
    bool parent_open_ = false;
    std::size_t line_ = 0;
};

std::optional<std::uint32_t> read_chunk_size(std::string_view digits) {
    std::uint32_t value = 0;
    if (digits.empty() || digits.size() > 4) {
        return std::nullopt;
    }
    for (const char c : digits) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return value >= 1 && value <= chunk_size_max ? std::optional(value) : std::nullopt;
}

}  // namespace

answer<execution_spec> read_execution_spec(std::string_view yaml) {
    spec_reader reader;
    answer<std::map<std::string, std::string>> values = reader.read(yaml);
    if (!values) {
        return std::move(values).error();
    }
    const auto get = [&values](const char* key) {
        const auto found = values->find(key);
        return found == values->end() ? std::string() : found->second;
    };
    execution_spec spec;
    for (const char* key : {"model", "model.id", "model.name"}) {
        if (spec.model.empty()) {
            spec.model = get(key);
        }
    }
    if (spec.model.empty()) {
        return invalid_request("spec_yaml names no model");
    }
    const std::optional<std::uint32_t> chunk_size = read_chunk_size(get("chunking.chunk_size"));
    if (!chunk_size) {
        return invalid_request("spec_yaml needs chunking.chunk_size, a whole number from 1 to 1000");
    }
    spec.chunk_size = *chunk_size;
    return spec;
}

}  // namespace vembed::service
