#pragma once
/// The lines of failed.jsonl. Pure.

#include <string>

#include <vembed/bulk/sink.hpp>

namespace vembed::folder {

/// Makes `line` that of the row, in the form that npy_sink's comment describes.
void write_failed_line(std::string& line, const failed_row& row);

}  // namespace vembed::folder
