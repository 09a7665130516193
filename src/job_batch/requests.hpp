#pragma once
/// The requests of a batch: one a line in a file, which is not held in memory.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>

#include "job_batch/backend.hpp"
#include "storage/file_ops.hpp"

namespace vembed::job_batch {

/// Blocks for as long as reading the disk takes.
class requests {
public:
    /// A line is at most this long, in bytes; more than any service takes.
    static constexpr std::size_t line_bytes_max = std::size_t{16} << 20;

    /// Reads the whole file once and lets `by` check every line. Empty lines are skipped. bad_input names the first
    /// lines that are no requests; io if it cannot be read.
    static result<requests> open(const std::string& path, const backend& by);

    requests() = default;

    [[nodiscard]] std::uint64_t count() const noexcept { return starts_.size(); }
    /// The number of the request's line, from 1.
    [[nodiscard]] std::uint64_t line_of(std::uint64_t request) const { return starts_.at(request).line; }
    [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }
    /// The text of a request. bad_input if the file was changed meanwhile.
    [[nodiscard]] result<std::string> text(std::uint64_t request) const;

private:
    class place {
    public:
        std::uint64_t at = 0;
        std::uint64_t line = 0;
        std::uint32_t size = 0;

        place() = default;
    };

    std::string path_;
    std::string sha256_;
    storage::unique_fd fd_;
    std::vector<place> starts_;
};

}  // namespace vembed::job_batch
