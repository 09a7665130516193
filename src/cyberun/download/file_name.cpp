#include "cyberun/download/file_name.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "cyberun/wire/assumptions.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::size_t extension_bytes_max = 5;
constexpr std::size_t stem_bytes_max = file_name_bytes_max - extension_bytes_max;

constexpr std::array<std::pair<std::string_view, std::string_view>, 22> extensions{{
    {"image/png", ".png"},         {"image/jpeg", ".jpg"},      {"image/webp", ".webp"},
    {"image/gif", ".gif"},         {"image/bmp", ".bmp"},       {"image/tiff", ".tiff"},
    {"image/svg+xml", ".svg"},     {"video/mp4", ".mp4"},       {"video/webm", ".webm"},
    {"video/quicktime", ".mov"},   {"audio/mpeg", ".mp3"},      {"audio/wav", ".wav"},
    {"audio/x-wav", ".wav"},       {"audio/flac", ".flac"},     {"audio/ogg", ".ogg"},
    {"application/json", ".json"}, {"text/plain", ".txt"},      {"text/csv", ".csv"},
    {"application/pdf", ".pdf"},   {"application/zip", ".zip"}, {"model/gltf-binary", ".glb"},
    {"model/gltf+json", ".gltf"},
}};

constexpr std::string_view other_extension = ".bin";

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
}

// Windows takes these for devices with any extension.
bool is_device(std::string_view stem) {
    const std::string_view base = stem.substr(0, stem.find('.'));
    constexpr std::array<std::string_view, 6> names{"con", "prn", "aux", "nul", "conin_", "conout_"};
    const bool is_port = base.size() == 4 && base[3] >= '0' && base[3] <= '9' &&
                         (text::same_word(base.substr(0, 3), "com") || text::same_word(base.substr(0, 3), "lpt"));
    return is_port || std::ranges::any_of(names, [base](std::string_view each) { return text::same_word(each, base); });
}

std::string plain_stem(std::string_view id, std::size_t bytes_max) {
    std::string made(id.substr(0, bytes_max));
    std::ranges::replace_if(
        made, [](char c) { return !is_plain(c); }, '_');
    if (made.starts_with('.')) {
        made.front() = '_';
    }
    if (made.ends_with('.')) {
        made.back() = '_';
    }
    if (made.empty()) {
        made = std::string(assumed::single_output_id);
    }
    if (is_device(made)) {
        made.insert(0, "_");
        made.resize(std::min(made.size(), bytes_max));
    }
    return made;
}

// The end of a name that is an extension of the list; empty if there is none, or nothing before it.
std::string_view known_extension(std::string_view name) {
    for (const auto& [type, extension] : extensions) {
        if (name.size() > extension.size() && text::same_word(name.substr(name.size() - extension.size()), extension)) {
            return extension;
        }
    }
    return name.size() > other_extension.size() &&
                   text::same_word(name.substr(name.size() - other_extension.size()), other_extension)
               ? other_extension
               : std::string_view();
}

// What two names have in common whenever they are the same, whatever extension each of them gets.
std::string clash_key(std::string_view stem) {
    for (std::string_view end = known_extension(stem); !end.empty(); end = known_extension(stem)) {
        stem.remove_suffix(end.size());
    }
    return text::lowered(stem);
}

// The ids whose names are the same without case and extension as another id's.
std::set<std::string> clashing(const std::map<std::string, std::string>& names) {
    std::map<std::string, std::vector<std::string>> ids;
    for (const auto& [id, name] : names) {
        ids[clash_key(name)].push_back(id);
    }
    std::set<std::string> made;
    for (const auto& [name, same] : ids) {
        if (same.size() > 1) {
            made.insert(same.begin(), same.end());
        }
    }
    return made;
}

}  // namespace

std::vector<std::string> file_stems(std::span<const std::string> output_ids) {
    std::map<std::string, std::string> names;
    for (const std::string& id : output_ids) {
        names[id] = plain_stem(id, stem_bytes_max);
    }
    // An id may be the hashed name of another one, and then needs more of its own hash.
    for (std::size_t digits = 8; digits <= 64; digits *= 2) {
        for (const std::string& id : clashing(names)) {
            const std::string hash = to_hex(sha256_of(id)).substr(0, digits);
            names[id] = plain_stem(id, stem_bytes_max - hash.size() - 1) + "-" + hash;
        }
    }
    std::vector<std::string> made;
    made.reserve(output_ids.size());
    for (const std::string& id : output_ids) {
        made.push_back(names[id]);
    }
    return made;
}

std::string file_name(std::string_view stem, std::string_view content_type) {
    content_type = text::media_type(content_type);
    const auto* const found = std::ranges::find_if(
        extensions, [content_type](const auto& known) { return text::same_word(known.first, content_type); });
    const std::string_view extension = found != extensions.end() ? found->second : other_extension;
    if (stem.size() > extension.size() && text::same_word(stem.substr(stem.size() - extension.size()), extension)) {
        return std::string(stem);
    }
    return std::string(stem) + std::string(extension);
}

std::string file_name_for(const std::string& output_id, std::string_view content_type) {
    return file_name(file_stems(std::span(&output_id, 1)).front(), content_type);
}

}  // namespace vembed::cyberun
