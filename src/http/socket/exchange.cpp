#include "http/socket/exchange.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>

#include "http/socket/transport_failure.hpp"

namespace vembed::http {
namespace {

namespace beast = boost::beast;

// Bodies are mostly read in place, which needs no large buffer. Chunked bodies must be decoded, so more bytes are read
// at once.
constexpr std::size_t chunked_read_size = 64 * 1024;
constexpr std::size_t in_place_read_max = 16 * 1024 * 1024;
constexpr std::size_t until_close_read_size = 64 * 1024;
constexpr std::size_t long_body_step = 256 * 1024;

// Everything of the header but the key itself.
void write_key_header(std::string& head, const key_header& in) {
    head += in.name;
    head += ": ";
    head += in.scheme;
    head += in.scheme.empty() ? "" : " ";
}

void write_head(std::string& head, const connection_pool& from, const transport_request& request) {
    head.clear();
    head.reserve(512);
    head += to_string(request.method);
    head += ' ';
    head += from.target.base_path;
    head += request.target;
    head += " HTTP/1.1\r\nHost: ";
    head += from.target.host_field;
    head += "\r\nUser-Agent: ";
    head += from.options.user_agent;
    head += "\r\nAccept-Encoding: identity\r\n";
    for (const header_field& field : request.headers) {
        head += field.name;
        head += ": ";
        head += field.value;
        head += "\r\n";
    }
    if (request.method == http_method::post || request.method == http_method::put) {
        head += "Content-Length: ";
        head += std::to_string(request.body_size());
        head += "\r\n";
    }
    if (request.key) {
        write_key_header(head, request.key_in ? *request.key_in : key_header());
    }
}

// Drops the first `size` bytes of the pieces.
void advance(gather& pieces, std::size_t size) {
    for (asio::const_buffer& piece : pieces) {
        const std::size_t step = std::min(size, piece.size());
        piece += step;
        size -= step;
    }
}

// Reads more bytes of the response's head. `while_what` is for the error if the stream has ended, `doing` for any other
// error.
asio::awaitable<std::optional<error>> read_more(connection* on, exchange_outcome* outcome, const char* while_what,
                                                const char* doing) {
    const asio::mutable_buffer room = on->input.prepare(head_read_size);
    const io_result read = co_await on->stream->read_some(room);
    on->input.commit(read.size);
    outcome->response_begun = outcome->response_begun || read.size > 0;
    on->ended = read.error.failed();
    if (read.error == asio::error::eof) {
        co_return end_of_stream(while_what);
    }
    if (read.error) {
        co_return transport_failure(read.error, doing);
    }
    co_return std::nullopt;
}

// Whether the bytes read so far hold the complete head; if so, it is moved to the outcome.
result<bool> take_head(connection& on, exchange_outcome& outcome) {
    result<bool> complete = on.reader->read_head(on.input);
    if (complete && *complete) {
        outcome.head = on.reader->release_head();
    }
    return complete;
}

// Reads what came while the request is being written, as far as it is the head of a response.
asio::awaitable<std::optional<error>> take_early(connection* on, exchange_outcome* outcome) {
    std::optional<error> failed = co_await read_more(on, outcome, "the request was sent", "sending the request");
    if (failed) {
        co_return failed;
    }
    const result<bool> complete = take_head(*on, *outcome);
    if (!complete) {
        co_return complete.error();
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<error>> receive_head(connection* on, exchange_outcome* outcome) {
    for (;;) {
        const result<bool> complete = take_head(*on, *outcome);
        if (!complete) {
            co_return complete.error();
        }
        if (*complete) {
            co_return std::nullopt;
        }
        std::optional<error> failed =
            co_await read_more(on, outcome, "the response was awaited", "waiting for the response");
        if (failed) {
            co_return failed;
        }
    }
}

error too_large() {
    return {errc::response_too_large, "the response is larger than the limit declared for it"};
}

// Bytes that were read together with the head belong to the body. Only these bytes are copied.
result<std::uint64_t> drain(beast::flat_buffer& input, response_sink& sink, std::uint64_t at_most) {
    std::uint64_t moved = 0;
    while (input.size() > 0 && moved < at_most) {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), at_most - moved));
        const std::span<std::byte> room = sink.prepare(wanted);
        if (room.empty()) {
            return too_large();
        }
        const std::size_t size = asio::buffer_copy(asio::buffer(room.data(), room.size()), input.data(), wanted);
        input.consume(size);
        moved += size;
        const result<void> taken = sink.commit(size);
        if (!taken) {
            return taken.error();
        }
    }
    return moved;
}

// The sink is full. Only the end of the connection tells whether the body is complete.
asio::awaitable<std::optional<error>> expect_end(connection* on) {
    std::byte beyond{};
    const asio::mutable_buffer into(&beyond, 1);
    const io_result read = co_await on->stream->read_some(into);
    if (read.error == asio::error::eof) {
        co_return std::nullopt;
    }
    if (read.error) {
        co_return transport_failure(read.error, "reading the response");
    }
    co_return too_large();
}

// Reads `length` bytes, or up to the end of the stream if there is no length, straight into the sink's memory.
asio::awaitable<std::optional<error>> receive_in_place(connection* on, response_sink* sink,
                                                       std::optional<std::uint64_t> length) {
    std::uint64_t left = length.value_or(std::uint64_t(-1));
    const result<std::uint64_t> drained = drain(on->input, *sink, left);
    if (!drained) {
        co_return drained.error();
    }
    left -= *drained;
    const std::size_t step = length ? in_place_read_max : until_close_read_size;
    while (left > 0) {
        const std::span<std::byte> room = sink->prepare(static_cast<std::size_t>(std::min<std::uint64_t>(left, step)));
        if (room.empty() && !length) {
            co_return co_await expect_end(on);
        }
        if (room.empty()) {
            co_return too_large();
        }
        const asio::mutable_buffer into(room.data(), room.size());
        const io_result read = co_await on->stream->read_some(into);
        if (read.error == asio::error::eof && !length) {
            co_return std::nullopt;
        }
        if (read.error == asio::error::eof) {
            co_return end_of_stream("its response was read");
        }
        if (read.error) {
            co_return transport_failure(read.error, "reading the response");
        }
        const result<void> taken = sink->commit(read.size);
        if (!taken) {
            co_return taken.error();
        }
        left -= read.size;
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<error>> receive_chunked(connection* on, response_sink* sink) {
    for (;;) {
        const result<bool> complete = on->reader->decode_chunks(on->input, *sink);
        if (!complete) {
            co_return complete.error();
        }
        if (*complete) {
            co_return std::nullopt;
        }
        if (on->input.size() > response_reader::head_limit) {
            co_return error(errc::protocol, "the response is not valid HTTP/1.1: a chunk's head has no end");
        }
        const asio::mutable_buffer room = on->input.prepare(chunked_read_size);
        const io_result read = co_await on->stream->read_some(room);
        on->input.commit(read.size);
        if (read.error == asio::error::eof) {
            co_return end_of_stream("its response was read");
        }
        if (read.error) {
            co_return transport_failure(read.error, "reading the response");
        }
    }
}

// The next piece of a body that is not in memory.
asio::awaitable<result<std::size_t>> read_piece(body_source* body, std::uint64_t at, std::span<std::byte> into) {
    result<std::size_t> read = co_await body->read(at, into);
    if (read && (*read == 0 || *read > into.size())) {
        co_return error(errc::io, "the body ended early while it was sent: it changed meanwhile");
    }
    co_return read;
}

}  // namespace

// The key goes from its own memory to the socket and is copied to no other buffer here.
//
// A server may refuse a request before it has read all of it (RFC 9112 section 9.5). So if writing has to wait, what
// the server sends meanwhile is read, and a refusal ends the writing. An interim response or a 2xx does not end it: the
// server may still want the rest.
asio::awaitable<std::optional<error>> send(std::shared_ptr<connection_pool> from, connection* on,
                                           std::shared_ptr<const transport_request> request,
                                           exchange_outcome* outcome) {
    write_head(on->head, *from, *request);
    const std::string_view key = request->key ? request->key->reveal() : std::string_view();
    const std::string_view end = request->key ? "\r\n\r\n" : "\r\n";
    gather pieces{asio::buffer(on->head), asio::buffer(key.data(), key.size()), asio::buffer(end.data(), end.size()),
                  asio::buffer(request->body)};
    const std::uint64_t long_size = request->long_body ? request->long_body->size() : 0;
    std::vector<std::byte> block(static_cast<std::size_t>(std::min<std::uint64_t>(long_size, long_body_step)));
    for (std::uint64_t taken = 0;;) {
        if (asio::buffer_size(pieces) == 0 && taken == long_size) {
            break;
        }
        if (asio::buffer_size(pieces) == 0) {
            const std::uint64_t left = long_size - taken;
            const auto room =
                std::span(block).first(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), left)));
            const result<std::size_t> read = co_await read_piece(request->long_body.get(), taken, room);
            if (!read) {
                co_return read.error();
            }
            taken += *read;
            pieces = {asio::buffer(block.data(), *read)};
        }
        const heed whom = outcome->head ? heed::nothing : heed::peer;
        const io_result written = co_await on->stream->write_some(pieces, whom);
        if (written.peer_spoke) {
            std::optional<error> failed = co_await take_early(on, outcome);
            if (failed || (outcome->head && outcome->head->status >= 300)) {
                outcome->bytes_written += written.size;
                co_return failed;
            }
            continue;
        }
        outcome->bytes_written += written.size;
        if (written.error) {
            co_return transport_failure(written.error, "sending the request");
        }
        advance(pieces, written.size);
    }
    outcome->request_written = true;
    co_return std::nullopt;
}

asio::awaitable<std::optional<error>> receive(connection* on, response_sink* sink, exchange_outcome* outcome) {
    std::optional<error> failed;
    if (!outcome->head) {
        failed = co_await receive_head(on, outcome);
    }
    if (failed) {
        co_return failed;
    }
    const result<void> begun = sink->begin(*outcome->head);
    if (!begun) {
        co_return begun.error();
    }
    switch (on->reader->framing()) {
        case body_framing::none: break;
        case body_framing::chunked: failed = co_await receive_chunked(on, sink); break;
        case body_framing::length: failed = co_await receive_in_place(on, sink, outcome->head->content_length); break;
        case body_framing::until_close: failed = co_await receive_in_place(on, sink, std::nullopt); break;
    }
    co_return failed;
}

}  // namespace vembed::http
