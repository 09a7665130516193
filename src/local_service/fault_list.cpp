#include "local_service/fault_list.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <fstream>

namespace vembed::local_service {
namespace {

constexpr std::size_t file_bytes_max = 65'536;
constexpr std::uint32_t limit_max = 86'400'000;

std::string_view trim(std::string_view text) {
    static constexpr std::string_view white = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
    const std::size_t last = text.find_last_not_of(white);
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() && end == text.data() + text.size();
}

result<std::string> read_fault_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    if (in) {
        text.resize(file_bytes_max + 1);
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(in.gcount()));
    }
    if (!in && !in.eof()) {
        return error(errc::io, "faults: `" + path.substr(0, 200) +
                                   "` holds no '=' and is no readable file; give name=value,… or a file's path");
    }
    if (text.size() > file_bytes_max) {
        return error(errc::invalid_argument, "faults: the file `" + path + "` is longer than 65536 bytes");
    }
    return text;
}

}  // namespace

bool read_rate(std::string_view text, double& into) {
    return read_number(text, into) && std::isfinite(into) && into >= 0 && into <= 1;
}

bool read_limit(std::string_view text, std::uint32_t& into) {
    return read_number(text, into) && into >= 1 && into <= limit_max;
}

result<void> read_fault_list(const std::string& text_or_path,
                             const std::function<bool(std::string_view name, std::string_view value)>& take,
                             const std::function<error(std::string_view item)>& malformed) {
    if (trim(text_or_path).empty()) {
        return {};
    }
    std::string text = text_or_path;
    char separator = ',';
    if (text_or_path.find('=') == std::string::npos) {
        result<std::string> content = read_fault_file(text_or_path);
        if (!content) {
            return content.error();
        }
        text = *std::move(content);
        separator = '\n';
    }
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find(separator), rest.size());
        std::string_view item = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (separator == '\n') {
            item = item.substr(0, item.find('#'));
        }
        item = trim(item);
        if (item.empty() && separator == '\n') {
            continue;
        }
        const std::size_t mark = item.find('=');
        if (mark == std::string_view::npos || !take(trim(item.substr(0, mark)), trim(item.substr(mark + 1)))) {
            return malformed(item);
        }
    }
    return {};
}

}  // namespace vembed::local_service
