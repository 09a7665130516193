#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

#include <vembed/testing/service.hpp>

namespace vembed::testing {
namespace {

constexpr std::size_t file_bytes_max = 65'536;

struct rate_name {
    std::string_view name;
    double fault_rates::*rate;
};
constexpr auto rate_names = std::to_array<rate_name>({
    {"drop", &fault_rates::drop},
    {"delay", &fault_rates::delay},
    {"truncate", &fault_rates::truncate},
    {"rate_limited", &fault_rates::rate_limited},
    {"busy", &fault_rates::busy},
    {"inflight", &fault_rates::inflight},
    {"retry_after_date", &fault_rates::retry_after_date},
    {"bad_gateway", &fault_rates::bad_gateway},
    {"empty_error", &fault_rates::empty_error},
    {"failed_chunk", &fault_rates::failed_chunk},
    {"refund", &fault_rates::refund},
    {"wrong_shape", &fault_rates::wrong_shape},
    {"corrupt", &fault_rates::corrupt},
    {"invalid_receipt", &fault_rates::invalid_receipt},
});

struct limit_name {
    std::string_view name;
    std::uint32_t fault_rates::*limit;
};
constexpr auto limit_names = std::to_array<limit_name>({
    {"delay_ms_max", &fault_rates::delay_ms_max},
    {"retry_after_s_max", &fault_rates::retry_after_s_max},
});

std::string_view trim(std::string_view text) {
    static constexpr std::string_view white = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
    const std::size_t last = text.find_last_not_of(white);
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

error malformed(std::string_view item) {
    std::string message = "fault `" + std::string(item.substr(0, 80)) +
                          "` is not name=value with a known name; a value is a probability from 0 to 1:";
    for (const rate_name& known : rate_names) {
        message += ' ';
        message += known.name;
    }
    for (const proof_fault fault : proof_faults) {
        message += ' ';
        message += to_string(fault);
    }
    message += "; or a whole number from 1 to 86400000:";
    for (const limit_name& known : limit_names) {
        message += ' ';
        message += known.name;
    }
    return error(errc::invalid_argument, std::move(message));
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

// The rate of that name; null if there is none.
double* rate_named(std::string_view name, fault_rates& rates) {
    for (const rate_name& known : rate_names) {
        if (known.name == name) {
            return &(rates.*known.rate);
        }
    }
    const auto fault = proof_fault_named(name);
    return fault ? &rates.proof[static_cast<std::size_t>(*fault)] : nullptr;
}

bool take_item(std::string_view item, fault_rates& rates) {
    const std::size_t mark = item.find('=');
    if (mark == std::string_view::npos) {
        return false;
    }
    const std::string_view name = trim(item.substr(0, mark));
    const std::string_view value = trim(item.substr(mark + 1));
    if (double* const rate = rate_named(name, rates)) {
        return read_number(value, *rate) && std::isfinite(*rate) && *rate >= 0 && *rate <= 1;
    }
    for (const limit_name& known : limit_names) {
        if (known.name == name) {
            return read_number(value, rates.*known.limit) && rates.*known.limit >= 1 &&
                   rates.*known.limit <= 86'400'000;
        }
    }
    return false;
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

result<fault_rates> fault_rates::parse(const std::string& text_or_path) {
    fault_rates rates;
    if (trim(text_or_path).empty()) {
        return rates;
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
        if (!take_item(item, rates)) {
            return malformed(item);
        }
    }
    return rates;
}

}  // namespace vembed::testing
