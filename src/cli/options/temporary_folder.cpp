#include "cli/options/temporary_folder.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

bool takes_files(const std::string& folder) {
    std::error_code ignored;
    return std::filesystem::is_directory(folder, ignored) && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

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
