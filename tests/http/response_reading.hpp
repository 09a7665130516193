#pragma once
/// Feeds bytes to a response_reader the way a connection does, in pieces of any size.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>

#include "http/socket/response_reader.hpp"

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

/// What came of reading one response.
class reading {
public:
    std::optional<vembed::error> error;
    bool head_complete = false;
    bool body_complete = false;  ///< For until_close: as far as the input went.
    response_head head;
    body_framing framing = body_framing::none;
    bool keep_alive = false;
    std::string body;
    std::string left;  ///< Of the input, behind the response.

    reading() = default;
};

/// Reads one response from `raw`, which arrives in the pieces that `next_piece` sizes.
class piecewise_reader {
public:
    piecewise_reader(std::string_view raw, const std::function<std::size_t()>& next_piece, std::size_t body_limit)
        : raw_(raw), next_piece_(next_piece), sink_(body_limit) {}

    reading read() {
        if (read_head()) {
            read_body();
        }
        seen_.body = sink_.text();
        const auto data = input_.data();
        seen_.left = std::string(static_cast<const char*>(data.data()), data.size()) + std::string(raw_);
        return std::move(seen_);
    }

private:
    bool feed() {
        const std::size_t size = std::min(std::max<std::size_t>(next_piece_(), 1), raw_.size());
        input_.commit(boost::asio::buffer_copy(input_.prepare(size), boost::asio::buffer(raw_.data(), size)));
        raw_.remove_prefix(size);
        return size > 0;
    }

    bool read_head() {
        for (;;) {
            const result<bool> complete = reader_.read_head(input_);
            if (!complete) {
                seen_.error = complete.error();
                return false;
            }
            if (*complete) {
                seen_.head_complete = true;
                seen_.head = reader_.head();
                seen_.framing = reader_.framing();
                seen_.keep_alive = reader_.keep_alive();
                return true;
            }
            if (!feed()) {
                return false;
            }
        }
    }

    std::uint64_t drain(std::uint64_t most) {
        while (input_.size() > 0 && most > 0) {
            const auto room = sink_.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(input_.size(), most)));
            input_.consume(boost::asio::buffer_copy(boost::asio::buffer(room.data(), room.size()), input_.data()));
            (void)sink_.commit(room.size());
            most -= room.size();
        }
        return most;
    }

    void read_body() {
        switch (seen_.framing) {
            case body_framing::none: seen_.body_complete = true; break;
            case body_framing::length: {
                std::uint64_t left = drain(*seen_.head.content_length);
                while (left > 0 && feed()) {
                    left = drain(left);
                }
                seen_.body_complete = left == 0;
                break;
            }
            case body_framing::until_close:
                drain(std::uint64_t(-1));
                while (feed()) {
                    drain(std::uint64_t(-1));
                }
                seen_.body_complete = true;
                break;
            case body_framing::chunked: read_chunks(); break;
        }
    }

    void read_chunks() {
        do {
            const result<bool> complete = reader_.decode_chunks(input_, sink_);
            if (!complete) {
                seen_.error = complete.error();
                return;
            }
            seen_.body_complete = *complete;
        } while (!seen_.body_complete && feed());
    }

    std::string_view raw_;
    const std::function<std::size_t()>& next_piece_;
    reading seen_;
    response_reader reader_;
    boost::beast::flat_buffer input_;
    string_sink sink_;
};

inline reading read_response(std::string_view raw, const std::function<std::size_t()>& next_piece,
                             std::size_t body_limit = std::size_t(-1)) {
    return piecewise_reader(raw, next_piece, body_limit).read();
}

inline reading read_whole(std::string_view raw, std::size_t body_limit = std::size_t(-1)) {
    return read_response(
        raw, [] { return std::size_t(-1); }, body_limit);
}

inline reading read_bytewise(std::string_view raw, std::size_t body_limit = std::size_t(-1)) {
    return read_response(
        raw, [] { return std::size_t(1); }, body_limit);
}

}  // namespace vembed::http
