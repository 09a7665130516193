#pragma once
/// Keeps the start of a response's body that is read only for what it says about a failure.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>

#include <vembed/transport/transport.hpp>

namespace vembed::cyberun {

class short_body final : public response_sink {
public:
    static constexpr std::size_t kept_max = 2048;
    static constexpr std::size_t read_max = std::size_t{1} << 20;  ///< A longer body ends the exchange.

    result<void> begin(const response_head& /*head*/) override {
        text_.clear();
        read_ = 0;
        return {};
    }
    std::span<std::byte> prepare(std::size_t at_most) override {
        return std::span(room_).first(std::min({at_most, room_.size(), read_max - read_}));
    }
    result<void> commit(std::size_t size) override {
        read_ += size;
        text_.append(reinterpret_cast<const char*>(room_.data()), std::min(size, kept_max - text_.size()));
        return {};
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
    std::size_t read_ = 0;
    std::array<std::byte, 2048> room_{};
};

}  // namespace vembed::cyberun
