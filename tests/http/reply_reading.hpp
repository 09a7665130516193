#pragma once
/// Feeds bytes to a response_reader the way a connection does, in pieces of any size.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>

#include "http/response_reader.hpp"

namespace vembed::http {

/// Keeps what it is given, up to a limit, and offers room in pieces.
class string_sink final : public byte_sink {
public:
    explicit string_sink(std::size_t limit = std::size_t(-1), std::size_t piece = 4096)
        : limit_(limit), piece_(piece) {}

    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(std::min({at_most, limit_ - text_.size(), piece_}));
        return room_;
    }

    result<void> commit(std::size_t size) override {
        text_.append(reinterpret_cast<const char*>(room_.data()), size);
        return {};
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::size_t limit_;
    std::size_t piece_;
    std::string text_;
    std::vector<std::byte> room_;
};

/// What came of reading one reply.
class reading {
public:
    std::optional<failure> error;
    bool head_complete = false;
    bool body_complete = false;  ///< For until_close: as far as the input went.
    response_head head;
    body_framing framing = body_framing::none;
    bool keep_alive = false;
    std::string body;
    std::string left;  ///< Of the input, behind the reply.

    reading() = default;
};

/// Reads one reply from `raw`, which arrives in the pieces that `next_piece` sizes.
inline reading read_reply(std::string_view raw, const std::function<std::size_t()>& next_piece,
                          std::size_t body_limit = std::size_t(-1)) {
    reading seen;
    response_reader reader;
    boost::beast::flat_buffer input;
    string_sink sink(body_limit);
    const auto feed = [&] {
        const std::size_t size = std::min(std::max<std::size_t>(next_piece(), 1), raw.size());
        input.commit(boost::asio::buffer_copy(input.prepare(size), boost::asio::buffer(raw.data(), size)));
        raw.remove_prefix(size);
        return size > 0;
    };
    const auto finish = [&] {
        seen.body = sink.text();
        const auto data = input.data();
        seen.left = std::string(static_cast<const char*>(data.data()), data.size()) + std::string(raw);
        return seen;
    };
    for (;;) {
        const result<bool> complete = reader.read_head(input);
        if (!complete) {
            seen.error = complete.error();
            return finish();
        }
        if (*complete) {
            break;
        }
        if (!feed()) {
            return finish();
        }
    }
    seen.head_complete = true;
    seen.head = reader.head();
    seen.framing = reader.framing();
    seen.keep_alive = reader.keep_alive();
    const auto drain = [&](std::uint64_t most) {
        while (input.size() > 0 && most > 0) {
            const auto room = sink.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), most)));
            input.consume(boost::asio::buffer_copy(boost::asio::buffer(room.data(), room.size()), input.data()));
            (void)sink.commit(room.size());
            most -= room.size();
        }
        return most;
    };
    switch (seen.framing) {
        case body_framing::none: seen.body_complete = true; break;
        case body_framing::length: {
            std::uint64_t left = drain(*seen.head.content_length);
            while (left > 0 && feed()) {
                left = drain(left);
            }
            seen.body_complete = left == 0;
            break;
        }
        case body_framing::until_close: do { drain(std::uint64_t(-1));
            } while (feed());
            seen.body_complete = true;
            break;
        case body_framing::chunked:
            for (;;) {
                const result<bool> complete = reader.decode_chunks(input, sink);
                if (!complete) {
                    seen.error = complete.error();
                    break;
                }
                seen.body_complete = *complete;
                if (*complete || !feed()) {
                    break;
                }
            }
            break;
    }
    return finish();
}

inline reading read_whole(std::string_view raw, std::size_t body_limit = std::size_t(-1)) {
    return read_reply(
        raw, [] { return std::size_t(-1); }, body_limit);
}

inline reading read_bytewise(std::string_view raw, std::size_t body_limit = std::size_t(-1)) {
    return read_reply(
        raw, [] { return std::size_t(1); }, body_limit);
}

}  // namespace vembed::http
