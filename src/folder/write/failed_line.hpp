#pragma once
/// Writes the lines of failed.jsonl. Pure.

#include <string>

#include <vembed/bulk/sink.hpp>

namespace vembed::folder {

/// Sets `line` to the row's line, in the form that npy_sink's comment describes.
void write_failed_line(std::string& line, const failed_row& row);

}  // namespace vembed::folder
