#pragma once
/// Reads the shared test cases. A test skips itself if its cases are not on this machine.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace vembed::testing_support {

/// The path of a file or folder among the cases, whether it exists or not.
inline std::filesystem::path vector_path(std::string_view name) {
    return std::filesystem::path(VEMBED_VECTORS_DIR) / name;
}

/// Reads a whole file; throws std::runtime_error if it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot read " + path.string());
    }
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Reads a whole JSON file; throws if it cannot be read or is not JSON.
inline boost::json::value read_json(const std::filesystem::path& path) {
    return boost::json::parse(read_file(path));
}

}  // namespace vembed::testing_support

/// Skips the running test if the named cases do not exist.
#define VEMBED_NEEDS_VECTORS(name)                                                                   \
    do {                                                                                             \
        if (!std::filesystem::exists(vembed::testing_support::vector_path(name))) {                  \
            GTEST_SKIP() << "the shared cases '" << (name) << "' are not in " << VEMBED_VECTORS_DIR; \
        }                                                                                            \
    } while (false)
