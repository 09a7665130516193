#include "cli/helper_folders.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "bulk/output_folder.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

namespace fs = std::filesystem;
namespace output = bulk::output;

// What an output folder has besides the result's files.
constexpr std::array own_files = {output::journal, output::embeddings_partial, output::run_file, output::manifest,
                                  output::spool};

bool is_there(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

bool takes_files(const std::string& folder) {
    std::error_code ignored;
    return fs::is_directory(folder, ignored) && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

// Where a folder is or would be made: absolute, without links, dots and a slash at its end. What is not there yet and
// links to it count too, which weakly_canonical leaves as they are written.
fs::path final_place_of(const std::string& path) {
    constexpr int links_max = 40;
    std::error_code ignored;
    fs::path place = "/";
    std::vector<fs::path> left;  // The last name first.
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

}  // namespace

result<void> check_cache_folder(const std::string& cache, const std::string& output) {
    if (cache.empty()) {
        return {};
    }
    std::string why;
    const auto look_for = [&cache, &why](std::string_view name) {
        if (why.empty() && is_there(output::in(cache, name))) {
            why = " is an output folder: it has " + std::string(name);
        }
    };
    if (!output.empty() && is_same(cache, output)) {
        why = " is the output folder of this command";
    }
    std::ranges::for_each(own_files, look_for);
    std::ranges::for_each(output::result_files, look_for);
    if (why.empty()) {
        return {};
    }
    return failure(
        errc::invalid_argument,
        cache + why +
            ". A cache is a folder of its own, which keeps rows for later runs: name one that is empty or not "
            "there yet, the same for every run. It gives back what was bought by runs that named it; rows of "
            "a result that named none are not taken from there");
}

void choose_temporary_folder(const std::string& output) {
    const char* chosen = std::getenv("TMPDIR");
    if (takes_files(chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp") || output.empty()) {
        return;
    }
    const auto made = storage::make_folder(storage::system_file_ops(), output);
    if (made && takes_files(output)) {
        ::setenv("TMPDIR", output.c_str(), 1);
    }
}

}  // namespace vembed::cli
