#pragma once
/// The texts of one request, in memory.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed::corpus {

/// Reads all texts of a source; nothing if there are more than `most`. The error is invalid_argument if there is no
/// text; bad_input, with file and line, if one of them cannot be sent: none is left out, because the rows of one
/// request are identified by their numbers. Other errors are those of next().
result<std::optional<std::vector<std::string>>> read_few_texts(row_source& source, std::size_t most);

}  // namespace vembed::corpus
