#include "http/socket/response_reader.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace vembed::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = beast::http;
namespace asio = boost::asio;

// Limits all interim responses together. The request's deadline bounds how long they go on.
constexpr std::size_t interim_size_max = 1024 * 1024;
constexpr std::uint32_t empty_lines_max = 4;

error broken(std::string what) {
    return {errc::protocol, "the response is not valid HTTP/1.1: " + std::move(what)};
}

std::string_view view_of(const beast::flat_buffer& buffer) {
    const auto data = buffer.data();
    return {static_cast<const char*>(data.data()), data.size()};
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Whether the line is "HTTP/1.x NNN" and ends there. RFC 9112 requires a space after the status, but some servers omit
// it.
bool lacks_reason_separator(std::string_view line) noexcept {
    return line.size() == 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) && line[8] == ' ' &&
           is_digit(line[9]) && is_digit(line[10]) && is_digit(line[11]);
}

// The length of a head whose lines may end with LF alone, its empty line included; npos if that is not in `text`.
std::size_t bare_head_size(std::string_view text) noexcept {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1)) {
        const std::string_view next = text.substr(end + 1);
        if (next.starts_with('\n')) {
            return end + 2;
        }
        if (next.starts_with("\r\n")) {
            return end + 3;
        }
    }
    return std::string_view::npos;
}

// Rewrites a head so that each line ends with CR LF and a status line without a reason has its space.
std::string with_full_line_ends(std::string_view bare) {
    std::string head;
    while (!bare.empty()) {
        const std::size_t end = bare.find('\n');
        std::string_view line = bare.substr(0, end);
        bare.remove_prefix(end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        const bool lacks_space = head.empty() && lacks_reason_separator(line);
        head.append(line).append(lacks_space ? " \r\n" : "\r\n");
    }
    return head;
}

}  // namespace

response_reader::response_reader() {
    restart();
}

void response_reader::restart() {
    parser_.emplace();
    parser_->header_limit(head_limit);
    // The sink bounds the body; the parser must not refuse a large output first.
    parser_->body_limit(boost::none);
    line_seen_ = false;
    head_size_ = 0;
}

// The parser below knows CR LF only; RFC 9112 section 2.2 lets a recipient read LF alone.
result<bool> response_reader::put_bare_lines(beast::flat_buffer& input) {
    const std::size_t size = bare_head_size(view_of(input));
    if (std::min(size, input.size()) > head_limit) {
        return broken("its head is longer than " + std::to_string(head_limit) + " bytes");
    }
    if (size == std::string_view::npos) {
        return false;
    }
    const std::string head = with_full_line_ends(view_of(input).substr(0, size));
    input.consume(size);
    head_size_ = size;
    line_seen_ = true;
    boost::system::error_code error;
    parser_->put(asio::buffer(head), error);
    if (error || !parser_->is_header_done()) {
        return broken(error ? error.message() : "its head has no end");
    }
    return true;
}

result<bool> response_reader::supply_missing_reason(beast::flat_buffer& input) {
    // Some servers end an interim response with one empty line too many.
    while (view_of(input).starts_with("\r\n")) {
        if (++empty_lines_ > empty_lines_max) {
            return broken("it begins with empty lines");
        }
        input.consume(2);
    }
    const std::string_view text = view_of(input);
    const std::size_t line_end = text.find('\n');
    if (line_end != std::string_view::npos && line_end > 0 && text[line_end - 1] != '\r') {
        return put_bare_lines(input);
    }
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) {
        if (text.size() > head_limit) {
            return broken("the status line has no end");
        }
        return false;
    }
    line_seen_ = true;
    if (lacks_reason_separator(text.substr(0, end))) {
        std::array<char, 15> line{};
        std::copy_n(text.data(), 12, line.data());
        line[12] = ' ';
        line[13] = '\r';
        line[14] = '\n';
        boost::system::error_code error;
        parser_->put(asio::buffer(line), error);
        if (error && error != bhttp::error::need_more) {
            return broken(error.message());
        }
        input.consume(14);
    }
    return true;
}

result<bool> response_reader::put(beast::flat_buffer& input) {
    while (!parser_->is_header_done()) {
        boost::system::error_code code;
        const std::size_t used = parser_->put(input.data(), code);
        input.consume(used);
        head_size_ += used;
        if (head_size_ > head_limit) {
            // The parser's own limit is about the bytes it sees at once, not about a head that comes in many pieces.
            return broken("its head is longer than " + std::to_string(head_limit) + " bytes");
        }
        if (code == bhttp::error::need_more) {
            return parser_->is_header_done();
        }
        if (code) {
            return broken(code.message());
        }
        if (used == 0 && !parser_->is_header_done()) {
            return false;
        }
    }
    return true;
}

result<bool> response_reader::read_head(beast::flat_buffer& input) {
    for (;;) {
        if (!line_seen_) {
            result<bool> seen = supply_missing_reason(input);
            if (!seen || !*seen) {
                return seen;
            }
        }
        result<bool> complete = put(input);
        if (!complete || !*complete) {
            return complete;
        }
        const unsigned status = parser_->get().result_int();
        if (status < 100 || status > 599) {
            return broken("the status is " + std::to_string(status));
        }
        if (status == 101) {
            return broken("it switches protocols, which was not asked for");
        }
        if (status >= 200) {
            const result<void> taken = take_head();
            if (!taken) {
                return taken.error();
            }
            return true;
        }
        interim_size_ += head_size_;
        if (interim_size_ > interim_size_max) {
            return broken("its interim responses are longer than " + std::to_string(interim_size_max) + " bytes");
        }
        restart();
    }
}

// An encoding that nobody asked for would be passed on as if it were the content.
result<void> response_reader::check_encodings() const {
    const bool good = head_.status >= 200 && head_.status < 300;
    for (const header_field& field : head_.headers) {
        if (beast::iequals(field.name, "Transfer-Encoding") && !beast::iequals(field.value, "chunked")) {
            return broken("its transfer encoding was not asked for");
        }
        if (good && beast::iequals(field.name, "Content-Encoding") && !field.value.empty() &&
            !beast::iequals(field.value, "identity")) {
            return broken("its content encoding was not asked for");
        }
    }
    return {};
}

result<void> response_reader::take_head() {
    const auto& message = parser_->get();
    head_ = response_head();
    head_.status = static_cast<int>(message.result_int());
    head_.headers.reserve(static_cast<std::size_t>(std::distance(message.begin(), message.end())));
    for (const auto& field : message) {
        head_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    if (message.version() != 10 && message.version() != 11) {
        return broken("the version is not HTTP/1.0 or HTTP/1.1");
    }
    keep_alive_ = parser_->keep_alive();
    const bool bodiless = head_.status == 204 || head_.status == 304;
    if (bodiless) {
        framing_ = body_framing::none;
    } else if (parser_->chunked()) {
        framing_ = body_framing::chunked;
    } else if (const auto length = parser_->content_length(); length) {
        head_.content_length = *length;
        framing_ = *length == 0 ? body_framing::none : body_framing::length;
    } else {
        framing_ = body_framing::until_close;
        keep_alive_ = false;
    }
    return check_encodings();
}

result<bool> response_reader::decode_chunks(beast::flat_buffer& input, byte_sink& sink) {
    // If the body is not complete, at least "0\r\n\r\n" is still to come; the parser must see it in one piece.
    constexpr std::size_t shortest_rest = 5;
    while (!parser_->is_done()) {
        if (input.size() < shortest_rest) {
            return false;
        }
        // A full sink takes no more data, but the body's end may still come.
        const std::span<std::byte> room = sink.prepare(input.size());
        std::byte nowhere{};
        auto& body = parser_->get().body();
        body.data = room.empty() ? &nowhere : room.data();
        body.size = room.size();
        body.more = true;
        boost::system::error_code code;
        const std::size_t used = parser_->put(input.data(), code);
        input.consume(used);
        const std::size_t filled = room.size() - body.size;
        if (code && code != bhttp::error::need_more && code != bhttp::error::need_buffer) {
            return broken(code.message());
        }
        if (code == bhttp::error::need_buffer && room.empty()) {
            return error(errc::response_too_large, "the response is larger than the limit declared for it");
        }
        if (filled > 0) {
            const result<void> taken = sink.commit(filled);
            if (!taken) {
                return taken.error();
            }
        }
        if (used == 0 && filled == 0 && !parser_->is_done()) {
            return false;
        }
    }
    return true;
}

}  // namespace vembed::http
