#include "cli/helper_folders.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "bulk/output_folder.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

namespace fs = std::filesystem;
namespace output = bulk::output;

bool is_there(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

bool takes_files(const std::string& folder) {
    std::error_code ignored;
    return fs::is_directory(folder, ignored) && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

bool is_same(const std::string& one, const std::string& other) {
    std::error_code ignored;
    return fs::weakly_canonical(one, ignored) == fs::weakly_canonical(other, ignored);
}

}  // namespace

result<void> check_cache_folder(const std::string& cache, const std::string& output) {
    if (cache.empty() || is_there(cache + "/rows.sqlite")) {
        return {};
    }
    std::string why;
    for (const std::string_view name : {output::journal, output::embeddings, output::embeddings_partial, output::ids,
                                        output::manifest, output::row_hashes, output::spool}) {
        if (why.empty() && is_there(output::in(cache, name))) {
            why = " is an output folder: it has " + std::string(name);
        }
    }
    if (why.empty() && !output.empty() && is_same(cache, output)) {
        why = " is the output folder of this command";
    }
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
