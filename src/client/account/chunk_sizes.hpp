#pragma once
/// This machine's memory of how many inputs a chunk of a model takes, so that the first job of a run need not show it.
/// It is one small file, `vembed_chunk_sizes` 1:
///     {"vembed_chunk_sizes":1,"sizes":{"<service> <model>":100},"whole":{"<service> <model>":100}}
/// "whole" repeats the sizes that were seen as full chunks. If it lacks a size or differs from it, a chunk takes at
/// least that size. The file is an expectation, never a fact: if jobs show another size, that one is used. The
/// functions block, so call them on the worker thread.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::detail {

/// The number of models that are remembered for all services together; a further one replaces the one noted longest
/// ago.
inline constexpr std::size_t chunk_sizes_max = 500;

class chunk_size {
public:
    std::uint64_t rows = 0;  ///< 0 if nothing is known.

    /// If false, a chunk takes at least `rows`: only chunks that may not have been full were seen.
    bool is_whole = false;

    chunk_size() = default;
    chunk_size(std::uint64_t rows_of_it, bool whole) : rows(rows_of_it), is_whole(whole) {}

    friend bool operator==(const chunk_size&, const chunk_size&) = default;
};

/// The path of the file in a quota folder.
std::string chunk_sizes_path(const std::string& quota_folder);

/// The name under which a size is stored. `spec_yaml` is used if there is no model.
std::string chunk_size_key(std::string_view base_url, std::string_view model, std::string_view spec_yaml);

/// The size that a job's results show if `known` was expected: the longest of two or more chunks is whole, a single
/// chunk may not be.
chunk_size chunk_size_shown(const job_results& results, chunk_size known) noexcept;

/// 0 rows if the file does not exist, holds something else, has another version or does not have the name.
chunk_size remembered_chunk_size(const std::string& path, const std::string& key);

/// Notes the size. A file that holds something else is replaced; a file of another version is left unchanged. Returns
/// io if the file cannot be written or if another process holds its lock for 5 s, cancelled if `stop` is requested
/// meanwhile.
result<void> remember_chunk_size(const std::string& path, const std::string& key, chunk_size size,
                                 const std::stop_token& stop = {});

}  // namespace vembed::detail
