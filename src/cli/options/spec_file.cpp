#include "cli/options/spec_file.hpp"

#include <utility>

#include <vembed/cyberian/types.hpp>

namespace vembed::cli {

result<std::string> read_spec(const std::string& file) {
    if (file.empty()) {
        return std::string();
    }
    auto spec = job_request::for_spec_file(file, {});
    if (!spec) {
        return spec.error();
    }
    if (spec->spec_yaml.empty()) {
        return error(errc::invalid_argument, file + " is empty: that is no specification");
    }
    return std::move(spec->spec_yaml);
}

}  // namespace vembed::cli
