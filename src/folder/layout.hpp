#pragma once
/// The files of an output folder. npy_sink describes the files that it writes, run_journal describes the journal; the
/// program writes run.json and manifest.json.

#include <array>
#include <string>
#include <string_view>

namespace vembed::folder::layout {

inline constexpr std::string_view embeddings = "embeddings.npy";
inline constexpr std::string_view embeddings_partial = "embeddings.npy.partial";
inline constexpr std::string_view row_hashes = "rows.sha256";
inline constexpr std::string_view text_hashes = "texts.sha256";
inline constexpr std::string_view ids = "ids.jsonl";
inline constexpr std::string_view receipts = "receipts.jsonl";
inline constexpr std::string_view failed = "failed.jsonl";
inline constexpr std::string_view copies = "duplicates.jsonl";
inline constexpr std::string_view cached = "cached.jsonl";
inline constexpr std::string_view journal = "journal.sqlite";
inline constexpr std::string_view run_file = "run.json";
inline constexpr std::string_view manifest = "manifest.json";
inline constexpr std::string_view spool = "stdin.spool";  ///< A corpus that came on standard input.

/// The files of the result, whose hashes or sizes manifest.json has.
inline constexpr std::array result_files = {embeddings, row_hashes, text_hashes, ids, receipts, failed, copies, cached};

inline std::string in(std::string_view folder, std::string_view file) {
    return std::string(folder) + "/" + std::string(file);
}

}  // namespace vembed::folder::layout
