#pragma once
/// Reads an HTTP/1.1 response without doing I/O: the connection feeds bytes and asks what the body needs.

#include <cstdint>
#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <vembed/core/result.hpp>
#include <vembed/transport/transport.hpp>

namespace vembed::http {

/// The way to find the body's end.
enum class body_framing : std::uint8_t {
    none,         ///< There is no body.
    length,       ///< The body has content_length bytes and can be read in place.
    chunked,      ///< The body must be decoded with decode_chunks().
    until_close,  ///< The body ends with the connection and can be read in place.
};

/// One response. 1xx responses before it are consumed, except 101, which is refused because nobody asked for it.
class response_reader {
public:
    /// Most bytes of a status line and headers together.
    static constexpr std::uint32_t head_limit = 32 * 1024;

    response_reader();

    /// Consumes what `input` holds of the head. True if the head is complete; the rest of `input` then belongs to the
    /// body. False if more input is needed. Returns protocol if it is not HTTP/1.
    result<bool> read_head(boost::beast::flat_buffer& input);

    // These are valid after the head:
    [[nodiscard]] const response_head& head() const noexcept { return head_; }
    /// Moves the head out; head() is empty afterwards.
    [[nodiscard]] response_head release_head() noexcept { return std::move(head_); }
    [[nodiscard]] body_framing framing() const noexcept { return framing_; }
    /// Whether the connection can carry another exchange once the body was read completely.
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }

    /// Decodes what `input` holds of a chunked body into `sink`. True if the body is complete.
    result<bool> decode_chunks(boost::beast::flat_buffer& input, byte_sink& sink);

private:
    using parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

    result<bool> put(boost::beast::flat_buffer& input);
    result<bool> put_bare_lines(boost::beast::flat_buffer& input);
    result<bool> supply_missing_reason(boost::beast::flat_buffer& input);
    void restart();
    result<void> take_head();
    [[nodiscard]] result<void> check_encodings() const;

    std::optional<parser> parser_;
    bool line_seen_ = false;
    std::size_t interim_size_ = 0;
    std::uint32_t empty_lines_ = 0;
    std::size_t head_size_ = 0;
    response_head head_;
    body_framing framing_ = body_framing::none;
    bool keep_alive_ = false;
};

}  // namespace vembed::http
