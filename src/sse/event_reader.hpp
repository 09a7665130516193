#pragma once
/// Reads a stream of Server-Sent Events by the rules of the HTML standard ("Interpreting an event stream"), without
/// I/O. The caller feeds bytes in pieces of any size; the events do not depend on how the stream was cut.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed::sse {

class event {
public:
    std::string type;           ///< "message" if the stream named none.
    std::string data;           ///< UTF-8; several data lines are joined by a line feed.
    std::string last_event_id;  ///< The last id that the stream set up to this event; empty if there was none.

    event() = default;
    event(std::string event_type, std::string event_data, std::string id)
        : type(std::move(event_type)), data(std::move(event_data)), last_event_id(std::move(id)) {}
    friend bool operator==(const event&, const event&) = default;
};

class limits {
public:
    std::size_t line_bytes_max = std::size_t{1} << 20;   ///< Of one line without its end.
    std::size_t event_bytes_max = std::size_t{4} << 20;  ///< Of the type and the decoded data of one event.

    limits() = default;
};

/// A retry time that is longer than this counts as this.
inline constexpr std::chrono::milliseconds retry_max{3'600'000};

class event_reader {
public:
    explicit event_reader(limits most = {}) : most_(most) {}

    /// Reads the next piece of the stream and appends the events that it completes to `into`. The error is
    /// response_too_large if a line or an event exceeds its limit; the events before it were appended. After an error
    /// every further call returns the same error until restart().
    result<void> feed(std::string_view bytes, std::vector<event>& into);

    /// Begins another stream. What was read of an unfinished event is discarded; the last event id and the retry time
    /// stay, because a client takes them into its next connection.
    void restart();

    /// How many comment lines were read. A comment has no content, but it shows that the connection is alive.
    [[nodiscard]] std::uint64_t comments() const noexcept { return comments_; }

    /// The last reconnection time that the stream asked for.
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

    /// The id for the header Last-Event-ID. An event that was never completed does not set it.
    [[nodiscard]] const std::string& last_event_id() const noexcept { return last_event_id_; }

private:
    result<void> take_line(std::string_view line, std::vector<event>& into);
    result<void> take_field(std::string_view name, std::string_view value);
    void dispatch(std::vector<event>& into);
    error fail(std::string what);

    limits most_;
    std::string line_;  // The bytes of an unfinished line.
    bool first_line_ = true;
    bool after_cr_ = false;  // The last byte was CR: an LF after it belongs to the same line end.
    std::string type_;
    std::string data_;
    std::string id_;
    std::string last_event_id_;
    std::uint64_t comments_ = 0;
    std::optional<std::chrono::milliseconds> retry_;
    std::optional<error> failed_;
};

}  // namespace vembed::sse
