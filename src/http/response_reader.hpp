#pragma once
/// Reads an HTTP/1.1 reply without doing I/O: the connection feeds bytes and asks what the body needs.

#include <cstdint>
#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <vembed/core/result.hpp>
#include <vembed/transport/transport.hpp>

namespace vembed::http {

/// How the body's end is found.
enum class body_framing : std::uint8_t {
    none,         ///< There is no body.
    length,       ///< content_length bytes: can be read in place.
    chunked,      ///< To be decoded with decode_chunks().
    until_close,  ///< Ends with the connection: can be read in place.
};

/// One reply. 1xx replies before it are consumed, except 101, which nobody asked for and is refused.
class response_reader {
public:
    /// Most bytes of a status line and headers together.
    static constexpr std::uint32_t head_limit = 32 * 1024;

    response_reader();

    /// Consumes what `input` holds of the head. True when the head is complete; what then remains in `input` belongs
    /// to the body. False: more input is needed. protocol where it is not HTTP/1.
    result<bool> read_head(boost::beast::flat_buffer& input);

    // After the head:
    [[nodiscard]] const response_head& head() const noexcept { return head_; }
    /// Hands the head over; head() is empty from then on.
    [[nodiscard]] response_head release_head() noexcept { return std::move(head_); }
    [[nodiscard]] body_framing framing() const noexcept { return framing_; }
    /// Whether the connection can carry another exchange once the body was read whole.
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }

    /// Decodes what `input` holds of a chunked body into `sink`. True when the body is complete.
    result<bool> decode_chunks(boost::beast::flat_buffer& input, byte_sink& sink);

private:
    using parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

    result<bool> put(boost::beast::flat_buffer& input);
    result<bool> put_bare_lines(boost::beast::flat_buffer& input);
    result<bool> supply_missing_reason(boost::beast::flat_buffer& input);
    void restart();
    result<void> take_head();
    [[nodiscard]] result<void> check_codings() const;

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
