#pragma once
/// Reads and checks the body of POST /jobs and POST /verify.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/endpoints/refusal.hpp"

namespace vembed::service {

/// Texts that are stored one after the other in one block.
class text_list {
public:
    text_list() = default;

    [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t index) const noexcept {
        const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
        return std::string_view(bytes_).substr(begin, ends_[index] - begin);
    }
    [[nodiscard]] std::uint64_t memory() const noexcept {
        return bytes_.capacity() + ends_.capacity() * sizeof(std::uint32_t);
    }

    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
    /// Gives memory back if much more was reserved than used.
    void shrink() {
        if (bytes_.capacity() / 2 > bytes_.size()) {
            bytes_.shrink_to_fit();
        }
    }
    /// Appends to the text that the next end_text() ends.
    void append(std::string_view part) { bytes_ += part; }
    [[nodiscard]] std::size_t open_size() const noexcept { return bytes_.size() - (ends_.empty() ? 0 : ends_.back()); }
    void end_text() { ends_.push_back(static_cast<std::uint32_t>(bytes_.size())); }

private:
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
};

/// A body in either form; `spec_yaml` is set in the older form, `model` in the current one.
class job_body {
public:
    std::string model;
    std::string spec_yaml;
    text_list inputs;
    std::string claimed_output_commitment;  ///< Set for POST /verify only.

    job_body() = default;
};

inline constexpr std::size_t inputs_max = 1000;
inline constexpr std::size_t input_bytes_max = 65'536;

/// Accepts strict JSON of exactly the form's fields. 413 request_too_large if there are more than inputs_max inputs.
/// 400 invalid_request, naming the error, if the body is not JSON or not UTF-8, if a field is unknown, missing,
/// repeated or of a wrong type, if both forms are mixed, and if there is no input, an empty one or one over
/// input_bytes_max.
answer<job_body> read_job_body(std::string_view json, bool with_commitment);

/// The one field of POST /auth/keys/revoke. Errors are those of read_job_body.
answer<std::string> read_revoke_body(std::string_view json);

}  // namespace vembed::service
