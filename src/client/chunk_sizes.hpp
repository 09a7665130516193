#pragma once
/// This machine's memory of how many inputs a chunk of a model takes, so that the first job of a run need not show it.
/// One small file, `vembed_chunk_sizes` 1: {"vembed_chunk_sizes":1,"sizes":{"<service> <model>":100}}. What is in it is
/// an expectation, never a fact: what jobs show wins. Blocking: for the worker thread.

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

/// Under which name a size is kept. `spec_yaml` where there is no model.
std::string chunk_size_key(std::string_view base_url, std::string_view model, std::string_view spec_yaml);

/// What a job's results say of the size, where `known` (0: nothing) was expected: of two chunks or more the longest is
/// whole, a single one may not be.
std::uint64_t chunk_size_shown(const job_results& results, std::uint64_t known) noexcept;

/// 0 where the file does not tell: it is not there, holds something else, or has another version.
std::uint64_t remembered_chunk_size(const std::string& path, const std::string& key);

/// Notes the size. A file that holds something else is begun anew; one of another version is left as it is. io where it
/// cannot be written or another process holds its lock for 5 s, cancelled where `stop` is asked meanwhile.
result<void> remember_chunk_size(const std::string& path, const std::string& key, std::uint64_t rows,
                                 const std::stop_token& stop = {});

}  // namespace vembed::detail
