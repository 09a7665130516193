#pragma once
/// Names for the files of a task. They are made from the outputs' ids and never from a URL or a Content-Disposition
/// (wire contract, section 2, "Presigned URLs").

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vembed::cyberun {

/// The longest name, in bytes; `.part` comes on top of it while a file is written.
inline constexpr std::size_t file_name_bytes_max = 128;

/// A name without extension for each id, in their order: the characters `[A-Za-z0-9._-]`, each other byte as `_`, with
/// no dot at the beginning or end, and no name of a Windows device. Ids whose names differ in nothing but case and an
/// extension of the list get a part of their SHA-256 at the end, all of them, so that a name does not depend on the
/// order and no two files have one name, whatever their types are. All outputs of a folder must be given at once. The
/// same id twice has the same name.
std::vector<std::string> file_stems(std::span<const std::string> output_ids);

/// The stem with the extension of a content type, from a short list; `.bin` for any other. A stem that has the
/// extension already keeps it. No name ends in `.part`.
std::string file_name(std::string_view stem, std::string_view content_type);

/// The name of an only output.
std::string file_name_for(const std::string& output_id, std::string_view content_type);

}  // namespace vembed::cyberun
