#pragma once
/// @file
/// Texts as an argument: one, several, or a vector of them.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vembed {

/// What converts to a text without being a text's owner: literals, strings and views.
template <class T>
concept text_like = std::convertible_to<const T&, std::string_view>;

/// The texts of a call. It is made of whatever is written there:
///
///     co_await client.embed("bge-large-v1.5", {"hello", "world"});
///     co_await client.embed("bge-large-v1.5", "hello");
///     co_await client.embed("bge-large-v1.5", std::move(vector_of_strings));
///
/// Texts are copied, those of a vector that is moved in are moved. A template takes several texts because g++ 12
/// miscompiles a std::initializer_list in a co_await expression.
class input_texts {
public:
    input_texts() = default;
    input_texts(std::vector<std::string> texts) : texts_(std::move(texts)) {}

    template <text_like... Texts>
    requires(sizeof...(Texts) > 0) input_texts(const Texts&... texts) {
        texts_.reserve(sizeof...(Texts));
        (texts_.emplace_back(std::string_view(texts)), ...);
    }

    [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }
    [[nodiscard]] const std::vector<std::string>& get() const& noexcept { return texts_; }
    [[nodiscard]] std::vector<std::string> get() && noexcept { return std::move(texts_); }

private:
    std::vector<std::string> texts_;
};

}  // namespace vembed
