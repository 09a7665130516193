#pragma once
/// Folders that an earlier build wrote (tests/compat), to be changed by a test.

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "support/scratch.hpp"

namespace vembed::test {

/// The rows of "tsv_quotes_finished": 9, of 384 numbers; row 5 failed. Its jobs have one chunk of two rows each.
inline constexpr std::string_view kept_finished = "tsv_quotes_finished";
inline constexpr std::string_view kept_unfinished = "tsv_quotes_unfinished";
inline constexpr const char* kept_service = "http://127.83.77.1:28377";
inline constexpr const char* kept_account = "acc_3f56228a15a83fc1";
inline constexpr std::size_t row_bytes = 384 * 4;

class kept_folder : public testing::scratch_folder {
public:
    explicit kept_folder(std::string_view name = kept_finished) {
        std::filesystem::copy(std::string(VEMBED_COMPAT_DIR) + "/" + std::string(name) + "/out", path(),
                              std::filesystem::copy_options::recursive);
    }

    /// Another byte in a row.
    void change_row(std::size_t row) const {
        std::string bytes = read("embeddings.npy");
        bytes[128 + row * row_bytes] ^= 1;
        write("embeddings.npy", bytes);
    }

    /// Leaves out the lines of the manifest that have one of these members, and its hash of itself.
    void leave_out(std::string_view member) const {
        const std::string text = read("manifest.json");
        std::string kept;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
            const std::string line = text.substr(at, end - at);
            if (line.find("\"" + std::string(member) + "\":") == std::string::npos &&
                line.find("\"manifest_sha256\":") == std::string::npos) {
                kept += line;
            }
            at = end;
        }
        // The member before the hash was not the last one.
        kept.erase(kept.rfind(','), 1);
        write("manifest.json", kept);
    }
};

}  // namespace vembed::test
