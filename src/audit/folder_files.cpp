#include "audit/folder_files.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "audit/folder_rows.hpp"
#include "corpus/lines/byte_reader.hpp"
#include "corpus/lines/line_reader.hpp"
#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/records/embedding_file.hpp"
#include "text/json/json_fields.hpp"

namespace vembed::audit {
namespace {

// Each of its rows has a hash in rows.sha256, so the file has no hash of its own.
constexpr std::string_view rows_file = folder::layout::embeddings;

// The files of hashes may be made after the run ended: they then show less, but nothing is wrong.
constexpr bool must_be_listed(std::string_view name) {
    return name != folder::layout::row_hashes && name != folder::layout::text_hashes;
}

constexpr const char* no_row_root =
    "the run noted no root over its rows: an earlier version of vembed wrote the folder, or the run is unfinished";

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

void compare_file(const std::string& folder, const std::string& name, const folder::file_digest& recorded,
                  check_tally& to) {
    const std::string path = folder + "/" + name;
    if (!exists(path)) {
        to.fail(name + " is missing");
        return;
    }
    if (recorded.sha256.empty() && name != rows_file) {
        to.fail("manifest.json has no SHA-256 of " + name);
        return;
    }
    if (recorded.sha256.empty()) {
        std::error_code error;
        const auto bytes = std::filesystem::file_size(path, error);
        if (error || bytes != recorded.bytes) {
            to.fail(name + " has " + (error ? error.message() : std::to_string(bytes) + " bytes") + ", recorded " +
                    std::to_string(recorded.bytes));
        } else {
            to.pass();
        }
        return;
    }
    const auto actual = folder::digest_of_file(path);
    if (!actual) {
        to.fail(name + ": " + actual.error().message);
    } else if (actual->sha256 != recorded.sha256) {
        to.fail(name + " has changed since the run: " + std::to_string(actual->bytes) + " bytes with SHA-256 " +
                actual->sha256 + ", recorded " + std::to_string(recorded.bytes) + " bytes with " + recorded.sha256);
    } else {
        to.pass();
    }
}

}  // namespace

std::optional<std::uint64_t> count_lines(const std::string& path) {
    auto bytes = corpus::open_stored_bytes(path);
    if (!bytes) {
        return std::nullopt;
    }
    corpus::line_reader lines(std::move(*bytes), path, folder::line_bytes_max);
    std::string_view line;
    for (;;) {
        const auto more = lines.next(line);
        if (!more) {
            return std::nullopt;
        }
        if (!*more) {
            return lines.number();
        }
    }
}

void add_row_ids(const std::string& folder, std::vector<check_tally>& checks) {
    std::map<std::uint64_t, std::string> ids;
    for (const check_tally& check : checks) {
        for (const check_finding& found : check.findings) {
            if (found.row) {
                ids.emplace(*found.row, std::string());
            }
        }
    }
    if (ids.empty()) {
        return;
    }
    // A file that cannot be read was already reported, and an id is only a help.
    const auto read = folder::for_each_line(
        folder::layout::in(folder, folder::layout::ids), [&ids](std::string_view line, std::uint64_t number) {
            if (const auto wanted = ids.find(number - 1); wanted != ids.end()) {
                const auto object = text::object_of(line);
                wanted->second = object ? text::text_of(*object, "id") : std::string();
            }
            return number - 1 < ids.rbegin()->first ? result<void>() : error(errc::cancelled, "all were found");
        });
    (void)read;
    for (check_tally& check : checks) {
        for (check_finding& found : check.findings) {
            if (found.row) {
                found.row_id = ids.at(*found.row);
            }
        }
    }
}

result<check_tally> check_file_hashes(const std::string& folder, const folder::manifest& recorded,
                                      const std::stop_token& stop) {
    check_tally files("files", "recorded", "files", "each file has the SHA-256 that was noted when the run ended");
    const auto rows = recorded.files.find(std::string(rows_file));
    if (rows != recorded.files.end() && rows->second.sha256.empty()) {
        files.shows += "; of embeddings.npy, whose rows have hashes of their own (row_hashes), the size alone";
    }
    for (const auto& [name, digest] : recorded.files) {
        if (stop.stop_requested()) {
            return error(errc::cancelled, "interrupted");
        }
        // Names come from a file, so they must not lead outside the folder.
        if (name.find('/') != std::string::npos) {
            files.fail("manifest.json names a file outside the folder");
            continue;
        }
        compare_file(folder, name, digest, files);
    }
    for (const std::string_view name : folder::layout::result_files) {
        const bool is_listed = recorded.files.contains(std::string(name));
        if (must_be_listed(name) && !is_listed && exists(folder::layout::in(folder, name))) {
            files.fail(std::string(name) + " was not there when the run ended: manifest.json does not list it");
        }
    }
    return files;
}

result<check_tally> check_row_root(const std::optional<folder::manifest>& recorded, std::uint64_t rows,
                                   folder::digest_records* texts, folder::digest_records* rows_digests, bool skip,
                                   const std::stop_token& stop) {
    check_tally root("row_root", "recorded", "roots",
                     "rows.sha256 and texts.sha256 are, for every row, what the run ended with");
    if (!recorded || !recorded->row_root) {
        root.leave(no_row_root);
        return root;
    }
    if (recorded->row_root->rows != rows) {
        root.fail("manifest.json has a root over " + std::to_string(recorded->row_root->rows) +
                  " rows, the folder has " + std::to_string(rows));
        return root;
    }
    if (skip) {
        root.leave(rows_skipped);
        return root;
    }
    if (texts == nullptr || rows_digests == nullptr) {
        root.fail(std::string(rows_digests == nullptr ? "rows.sha256" : "texts.sha256") + " is missing");
        return root;
    }
    const auto actual = folder::row_root_of(*texts, *rows_digests, rows, stop);
    if (!actual && actual.error().kind != errc::verification_failed) {
        return actual.error();
    }
    if (!actual) {
        root.fail(actual.error().message + ", the folder has " + std::to_string(rows));
    } else if (*actual != recorded->row_root->root) {
        root.fail("the root over rows.sha256 and texts.sha256 is " + to_hex(*actual) + ", manifest.json says " +
                  to_hex(recorded->row_root->root) + ": one of these three files has changed");
    } else {
        root.pass();
    }
    return root;
}

}  // namespace vembed::audit
