#pragma once
/// Handles one request and its response after the other without waiting: bytes go in, the next step comes out. The
/// coroutine around it only moves bytes and waits.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <vembed/testing/local_service.hpp>

#include "service_front/connection.hpp"
#include "service_front/request_reader.hpp"
#include "service_front/response_head.hpp"

namespace vembed::service_front {

/// The connection's next step.
enum class step : std::uint8_t {
    read,           ///< More bytes are needed.
    send_continue,  ///< The client waits for 100 Continue.
    answer,         ///< A request is complete: ask the service.
    refuse,         ///< `response` is ready without asking the service; it is the connection's last response.
    cut,            ///< The fault plan ends the connection here.
};

/// The state of one connection: a read buffer, the request being read, the response being written.
class exchange_state {
public:
    explicit exchange_state(std::shared_ptr<shared_state> state);
    exchange_state(const exchange_state&) = delete;
    exchange_state& operator=(const exchange_state&) = delete;
    ~exchange_state();

    /// Space for the next bytes. If the unread bytes reach the buffer's end, they are moved to the front first.
    asio::mutable_buffer room();
    void received(std::size_t size) { end_ += size; }

    /// Space for bytes that nobody will read.
    asio::mutable_buffer scratch();

    /// Parses the bytes received so far.
    step advance();

    /// Asks the service; `response` may then say that the request is held.
    void ask();

    /// Whether a request has begun to arrive.
    [[nodiscard]] bool in_request() const noexcept { return reader_.has_value() || begin_ != end_; }
    [[nodiscard]] bool in_body() const noexcept { return reader_ && reader_->is_header_done(); }
    [[nodiscard]] std::uint64_t body_size() const noexcept { return storage_.body.size(); }
    [[nodiscard]] bool resets() const noexcept { return arrival_ && arrival_->cut_with_reset; }

    /// Composes head and body for writing; of a body that goes on, its beginning.
    void compose();
    /// Whether the body goes on after what is composed.
    [[nodiscard]] bool goes_on() const noexcept;
    /// When to ask for the next piece of a body that goes on.
    [[nodiscard]] monotonic_time next_piece_at() const noexcept { return next_piece_at_; }
    /// Composes the next piece in the place of what was composed before, which must be written.
    void compose_piece();
    /// Whether the connection is cut after what is composed.
    [[nodiscard]] bool cuts() const noexcept { return response.cut_after.has_value() || body_ends_ == ending::cut; }
    [[nodiscard]] std::array<asio::const_buffer, 2> unwritten() const;
    /// Counts written bytes; returns whether all are written.
    bool written(std::size_t size) {
        sent_ += size;
        return sent_ >= to_send_;
    }

    /// Prepares for the next request.
    void next();

    testing::service_response response;
    bool close_after = false;  ///< The response is the connection's last.

private:
    step refuse(testing::service_response with);
    void begin_request();
    void note_arrival();
    bool count_body();
    void release_body();
    void compose_part(std::string_view body_bytes, bool last);
    void limit_part(std::uint64_t size);

    std::shared_ptr<shared_state> state_;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    request_storage storage_;
    std::optional<request_reader> reader_;
    std::optional<testing::service_arrival> arrival_;
    std::uint64_t consumed_ = 0;  // Bytes of this request that the parser took.
    bool continued_ = false;      // 100 Continue is sent, or the client does not wait for it.
    std::uint64_t counted_body_ = 0;
    std::string head_;  // And, of a body that goes on, its present piece.
    std::uint64_t sent_ = 0;
    std::uint64_t to_send_ = 0;
    std::uint64_t sent_before_ = 0;  // Bytes of this response that were composed earlier.
    framing framing_ = framing::length;
    enum class ending : std::uint8_t { open, done, cut } body_ends_ = ending::done;
    monotonic_time next_piece_at_{};
};

}  // namespace vembed::service_front
