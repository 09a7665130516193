#pragma once
/// This machine's memory of how many inputs a chunk of a model takes, so that the first job of a run need not show it.
/// One small file, `vembed_chunk_sizes` 1:
///     {"vembed_chunk_sizes":1,"sizes":{"<service> <model>":100},"whole":{"<service> <model>":100}}
/// "whole" repeats the sizes that were seen whole: where it is missing or says something else, the size is the least
/// that a chunk takes. What is in the file is an expectation, never a fact: what jobs show wins. Blocking: for the
/// worker thread.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

/// Models that are remembered, of all services together; a further one takes the place of the one noted longest ago.
inline constexpr std::size_t chunk_sizes_max = 500;

class chunk_size {
public:
    std::uint64_t rows = 0;  ///< 0: nothing is known.

    /// Else a chunk takes at least that many: only chunks that may not have been full were seen.
    bool is_whole = false;

    chunk_size() = default;
    chunk_size(std::uint64_t rows_of_it, bool whole) : rows(rows_of_it), is_whole(whole) {}

    friend bool operator==(const chunk_size&, const chunk_size&) = default;
};

/// Where a quota folder has the file.
std::string chunk_sizes_path(const std::string& quota_folder);

/// Under which name a size is kept. `spec_yaml` where there is no model.
std::string chunk_size_key(std::string_view base_url, std::string_view model, std::string_view spec_yaml);

/// What a job's results say of the size, where `known` was expected: of two chunks or more the longest is
/// whole, a single one may not be.
chunk_size chunk_size_shown(const job_results& results, chunk_size known) noexcept;

/// 0 rows where the file does not tell: it is not there, holds something else, or has another version.
chunk_size remembered_chunk_size(const std::string& path, const std::string& key);

/// Notes the size. A file that holds something else is begun anew; one of another version is left as it is. io where it
/// cannot be written or another process holds its lock for 5 s, cancelled where `stop` is asked meanwhile.
result<void> remember_chunk_size(const std::string& path, const std::string& key, chunk_size size,
                                 const std::stop_token& stop = {});

}  // namespace vembed::detail
