#include "folder/other_folders.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "folder/layout.hpp"

namespace vembed::folder {
namespace {

namespace fs = std::filesystem;

// The files of an output folder besides those of the result.
constexpr std::array own_files = {layout::journal, layout::embeddings_partial, layout::run_file, layout::manifest,
                                  layout::spool};

// The files that SQLite and the journal's lock keep next to the journal.
constexpr std::array journal_files = {"journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock"};

// The files of a cache (see row_cache). Its index and its values show that a folder is one.
constexpr std::array cache_signs = {"rows.sqlite", "rows.f32"};
constexpr std::array cache_files = {"rows.sqlite", "rows.f32", "rows.sqlite-wal", "rows.sqlite-shm", "lock"};

bool is_there(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

// The path at which a folder is or would be made: absolute, without links, dots and a slash at its end. Unlike
// weakly_canonical, it also resolves parts that do not exist yet and links to such parts.
fs::path final_place_of(const std::string& path) {
    constexpr int links_max = 40;
    std::error_code ignored;
    fs::path place = "/";
    std::vector<fs::path> left;  // The names still to follow, the last one first.
    const auto go_on_with = [&left](const fs::path& names) {
        const std::vector<fs::path> in_order(names.begin(), names.end());
        left.insert(left.end(), in_order.rbegin(), in_order.rend());
    };
    go_on_with(fs::absolute(path, ignored).relative_path());
    for (int links = 0; !left.empty();) {
        const fs::path name = left.back();
        left.pop_back();
        if (name == "..") {
            place = place.parent_path();
        } else if (!name.empty() && name != ".") {
            place /= name;
        }
        const fs::path link = fs::read_symlink(place, ignored);
        if (!link.empty() && ++links <= links_max) {
            place = link.is_absolute() ? link.root_path() : place.parent_path();
            go_on_with(link.relative_path());
        }
    }
    return place;
}

bool is_same(const std::string& one, const std::string& other) {
    return final_place_of(one) == final_place_of(other);
}

template <class Names>
bool has(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != std::ranges::end(names);
}

// "embeddings.npy" or "receipts.jsonl" alone may be from `vembed job output` or from `vembed attest`, which continues
// the file it began. The files listed here are only in output folders.
constexpr std::array output_signs = {layout::journal, layout::row_hashes, layout::text_hashes};

bool is_output_folder(const std::string& folder) {
    const auto has_file = [&folder](std::string_view name) { return is_there(layout::in(folder, name)); };
    return std::ranges::any_of(output_signs, has_file) ||
           (has_file(layout::manifest) && std::ranges::any_of(layout::result_files, has_file));
}

bool is_cache(const std::string& folder) {
    return std::ranges::any_of(cache_signs,
                               [&folder](std::string_view name) { return is_there(layout::in(folder, name)); });
}

// Why the folder cannot be a cache; empty if it can.
std::string why_no_cache(const std::string& cache, const std::string& output) {
    if (!output.empty() && is_same(cache, output)) {
        return " is the output folder of this command";
    }
    const auto is_in_it = [&cache](std::string_view name) { return is_there(layout::in(cache, name)); };
    const auto* const own = std::ranges::find_if(own_files, is_in_it);
    const auto* const of_result = std::ranges::find_if(layout::result_files, is_in_it);
    if (own != own_files.end() || of_result != layout::result_files.end()) {
        return " is an output folder: it has " + std::string(own != own_files.end() ? *own : *of_result);
    }
    const fs::path place = final_place_of(cache);
    for (fs::path around = place.parent_path();; around = around.parent_path()) {
        if (!output.empty() && around == final_place_of(output)) {
            return " is in the output folder of this command";
        }
        if (is_output_folder(around.string())) {
            return " is in an output folder, " + around.string();
        }
        if (around == around.parent_path()) {
            return "";
        }
    }
}

// The path itself if it exists, else the nearest folder around it that exists.
fs::path there_of(fs::path place) {
    std::error_code ignored;
    while (!fs::exists(place, ignored) && place != place.parent_path()) {
        place = place.parent_path();
    }
    return place;
}

}  // namespace

result<void> check_folders(const std::string& cache, const std::string& output) {
    std::error_code ignored;
    if (!output.empty() && is_cache(output) && !is_there(layout::in(output, layout::journal))) {
        return error(errc::invalid_argument,
                     output + " is a cache, which keeps rows for later runs: choose another folder for the output");
    }
    if (cache.empty()) {
        return {};
    }
    if (const fs::path there = there_of(final_place_of(cache));
        fs::exists(there, ignored) && !fs::is_directory(there, ignored)) {
        return error(errc::invalid_argument, "a cache is a folder, but " + there.string() +
                                                 " is none: name one that is empty or not there yet");
    }
    const std::string why = why_no_cache(cache, output);
    if (why.empty()) {
        return {};
    }
    return error(errc::invalid_argument,
                 cache + why +
                     ". A cache is a folder of its own, which keeps rows for later runs: name one that is empty or not "
                     "there yet, the same for every run. It gives back what was bought by runs that named it; rows of "
                     "a result that named none are not taken from there");
}

result<void> check_run_folders(const std::string& cache, const std::string& output) {
    if (auto apart = check_folders(cache, output); !apart) {
        return apart;
    }
    if (is_there(layout::in(output, layout::journal))) {
        return {};
    }
    std::vector<std::string_view> names(layout::result_files.begin(), layout::result_files.end());
    names.insert(names.end(), {layout::embeddings_partial, layout::manifest});
    for (const std::string_view name : names) {
        if (const std::string path = layout::in(output, name); is_there(path)) {
            return error(errc::folder_mismatch, path +
                                                    " is there without the journal.sqlite of the run that it "
                                                    "belongs to; choose another folder, or move the file away");
        }
    }
    return {};
}

result<void> check_output_file(const std::string& file, const std::vector<std::string>& inputs) {
    if (file.empty()) {
        return {};
    }
    const fs::path place = final_place_of(file);
    const std::string name = place.filename().string();
    const std::string folder = place.parent_path().string();
    const bool has_name_of_output = has(own_files, name) || has(layout::result_files, name) || has(journal_files, name);
    if (has_name_of_output && is_output_folder(folder)) {
        return error(errc::invalid_argument, file + " is for " + name + " of the output folder " + folder +
                                                 ", which it would write over: name another file");
    }
    if (has(cache_files, name) && is_cache(folder)) {
        return error(errc::invalid_argument, file + " is for " + name + " of the cache " + folder +
                                                 ", which it would write over: name another file");
    }
    std::error_code ignored;
    for (const std::string& input : inputs) {
        // Devices may be both.
        const bool is_kept = !input.empty() && input != "-" && fs::is_regular_file(input, ignored);
        if (is_kept && (is_same(file, input) || fs::equivalent(file, input, ignored))) {
            std::string what = file;
            what += " is " + input + ", which this command reads: name another file to write";
            return error(errc::invalid_argument, std::move(what));
        }
    }
    return {};
}

}  // namespace vembed::folder
