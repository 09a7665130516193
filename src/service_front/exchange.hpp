#pragma once
/// One request and its reply after the other, without any waiting: bytes in, next step out. The coroutine around it
/// only moves bytes and waits.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <vembed/testing/service.hpp>

#include "service_front/connection.hpp"
#include "service_front/request_reader.hpp"

namespace vembed::service_front {

/// What a connection has to do next.
enum class step : std::uint8_t {
    read,           ///< More bytes are needed.
    send_continue,  ///< The client waits for 100 Continue.
    answer,         ///< A request is complete: ask the service.
    refuse,         ///< `reply` is ready without asking; it is the connection's last.
    cut,            ///< The fault plan ends the connection here.
};

/// One for each connection. A read buffer, the request being read, the reply being written.
class exchange_state {
public:
    explicit exchange_state(std::shared_ptr<shared_state> state);
    exchange_state(const exchange_state&) = delete;
    exchange_state& operator=(const exchange_state&) = delete;
    ~exchange_state();

    /// Where the next bytes go. Moves what is unread to the front first where it stands at the end.
    asio::mutable_buffer room();
    void received(std::size_t size) { end_ += size; }

    /// Room for bytes that nobody will read.
    asio::mutable_buffer scratch();

    /// Parses what is there.
    step advance();

    /// Asks the service; `reply` may then say to hold.
    void ask();

    /// Whether a request has begun to arrive.
    [[nodiscard]] bool in_request() const noexcept { return reader_.has_value() || begin_ != end_; }
    [[nodiscard]] bool in_body() const noexcept { return reader_ && reader_->is_header_done(); }
    [[nodiscard]] std::uint64_t body_size() const noexcept { return storage_.body.size(); }
    [[nodiscard]] bool resets() const noexcept { return arrival_ && arrival_->cut_with_reset; }

    /// Composes head and body for writing.
    void compose();
    [[nodiscard]] std::array<asio::const_buffer, 2> unwritten() const;
    /// Takes note of written bytes; whether all are.
    bool written(std::size_t size) {
        sent_ += size;
        return sent_ >= to_send_;
    }

    /// Makes ready for the next request.
    void next();

    testing::service_reply reply;
    bool close_after = false;  ///< The reply is the connection's last.

private:
    step refuse(testing::service_reply with);
    void begin_request();
    void note_arrival();
    bool count_body();
    void release_body();

    std::shared_ptr<shared_state> state_;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    request_storage storage_;
    std::optional<request_reader> reader_;
    std::optional<testing::service_arrival> arrival_;
    std::uint64_t consumed_ = 0;  // Of this request, by the parser.
    bool continued_ = false;      // 100 Continue is sent, or not waited for.
    std::uint64_t counted_body_ = 0;
    std::string head_;
    std::uint64_t sent_ = 0;
    std::uint64_t to_send_ = 0;
};

}  // namespace vembed::service_front
