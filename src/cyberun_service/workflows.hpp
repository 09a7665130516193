#pragma once
/// The workflows that can be run.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace vembed::cyberun_service {

/// What a workflow's tasks make.
enum class makes : std::uint8_t { text, digest, bytes };

class workflow {
public:
    std::string_view id;
    std::string_view slug;
    std::string_view name;
    std::uint64_t version;
    bool disabled;
    makes what;
    std::string_view parameters;  ///< A JSON array.
};

std::span<const workflow> workflows() noexcept;

/// The workflow of that id, or of that slug, perhaps with @version; `version` is then the one that was asked for.
const workflow* workflow_by_id(std::string_view id) noexcept;
const workflow* workflow_by_slug(std::string_view slug, std::uint64_t& version) noexcept;

boost::json::object workflow_view(const workflow& of, std::uint64_t version);

/// What is wrong with the parameters of a run, or nothing. A file's key is not looked up.
std::optional<std::string> parameter_fault(const workflow& of, const boost::json::object& given);

}  // namespace vembed::cyberun_service
