#include "cli_parts/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <boost/json/serialize.hpp>

#include "cli_parts/failure_json.hpp"
#include "text/text_format.hpp"
#include "text/words.hpp"

namespace vembed::cli {
namespace {

std::size_t terminal_columns() {
    winsize size{};
    constexpr std::size_t usual = 80;
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

// Progress is overwritten with an escape sequence. A dumb terminal, or one without a type, shows it as characters.
bool understands_escapes() {
    const char* const type = std::getenv("TERM");
    return type != nullptr && *type != '\0' && std::string_view(type) != "dumb";
}

/// Cuts the text so that the terminal does not wrap it, never inside a UTF-8 sequence.
std::string_view fitting(std::string_view line, std::size_t columns) {
    std::size_t shown = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool begins_character = (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
        if (begins_character && ++shown >= columns) {
            return line.substr(0, i);
        }
    }
    return line;
}

}  // namespace

console::console(bool json, bool quiet)
    : json_(json), quiet_(quiet), live_(::isatty(STDERR_FILENO) == 1 && understands_escapes()) {}

console::~console() {
    clear_progress();
    std::fflush(stderr);
}

void console::write_data(std::string_view bytes) {
    failed_ = std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() || failed_;
}

std::string console::masked(std::string_view text) const {
    std::string clean(text);
    if (hidden_) {
        text::replace_all(clean, hidden_->reveal(), "…");
    }
    return clean;
}

void console::mask(boost::json::value& in) const {
    if (!hidden_) {
        return;
    }
    if (boost::json::string* text = in.if_string()) {
        *text = masked(*text);
    } else if (boost::json::array* list = in.if_array()) {
        for (boost::json::value& one : *list) {
            mask(one);
        }
    } else if (boost::json::object* object = in.if_object()) {
        boost::json::object clean;
        for (auto& member : *object) {
            mask(member.value());
            clean[masked(member.key())] = std::move(member.value());
        }
        *object = std::move(clean);
    }
}

void console::print(std::string_view line) {
    clear_progress();
    write_data(masked(line));
    write_data("\n");
}

void console::print_object(std::string_view type, boost::json::object fields) {
    boost::json::object typed;
    typed["type"] = type;
    for (auto& field : fields) {
        typed[field.key()] = std::move(field.value());
    }
    boost::json::value whole(std::move(typed));
    mask(whole);
    write_data(boost::json::serialize(whole) + "\n");
    // A reader at the other end of a pipe waits for whole objects.
    failed_ = std::fflush(stdout) != 0 || failed_;
}

void console::write_error_line(std::string_view text) {
    clear_progress();
    // If both go to one pipe, a message must not overtake the data that it is about.
    failed_ = std::fflush(stdout) != 0 || failed_;
    const std::string line = text::printable_lines(masked(text)) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

void console::say(std::string_view text) {
    if (!quiet_) {
        write_error_line(text);
    }
}

void console::warn(std::string_view text) {
    write_error_line(text);
}

void console::show_progress(const std::string& line) {
    if (quiet_) {
        return;
    }
    if (!live_) {
        write_error_line(line);
        return;
    }
    const std::string clean = masked(line);
    const std::string text = "\r\x1b[K" + std::string(fitting(clean, terminal_columns()));
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    line_shown_ = true;
}

std::size_t console::columns() const {
    return live_ ? terminal_columns() : std::string::npos;
}

void console::clear_progress() {
    if (line_shown_) {
        std::fputs("\r\x1b[K", stderr);
        std::fflush(stderr);
        line_shown_ = false;
    }
}

void console::fail(const error& f) {
    write_error_line(fmt::format("vembed: {}", f.describe()));
    if (f.kind == errc::network && !f.lasting) {
        say("{}: check the network and the address (--base-url, or the variable that --help names), then run the same "
            "command again",
            f.http_status == 0 ? "no response came from the service" : "the response did not come whole");
    }
    if (json_) {
        print_object("failure", failure_object(f));
    }
}

void console::log(const log_record& record) {
    std::string line = fmt::format("vembed: {}: {}", to_string(record.level), record.event);
    for (const log_field& field : record.fields) {
        line += fmt::format(" {}={}", field.name, text::printable(field.value));
    }
    write_error_line(line);
}

bool console::finish() {
    clear_progress();
    failed_ = std::fflush(stdout) != 0 || failed_;
    return !failed_;
}

}  // namespace vembed::cli
