#pragma once
/// The targets and bodies of Cyberun's calls (wire contract, section 2, the table of calls).

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <vembed/core/result.hpp>

namespace vembed::cyberun {

/// The documented service.
inline constexpr std::string_view default_base_url = "https://core.cyberun.cloud/api/v1";

/// The base URL in the one form that is used: without `/r` and without a slash at its end. A host alone gets the path
/// of the documented service. An empty text is the documented service. invalid_argument as
/// policy::base_url_without_slash().
result<std::string> normal_base_url(std::string_view given);

/// Which page of a list.
class list_query {
public:
    std::uint64_t current_page = 1;
    std::uint64_t per_page = 20;  ///< 1 to 100.
    std::string status;           ///< Of tasks: a state's word; empty: any.

    list_query() = default;
};

/// What is done below a workflow or a task.
enum class below : std::uint8_t { itself, run, result, cancel, events };

// Each target is the path below the base URL, with its query. invalid_argument if an id or slug is no path segment
// (policy::encode_path_segment()) or is the name of a route, or if a query is out of its range.

result<std::string> workflows_target(const list_query& query);
result<std::string> tasks_target(const list_query& query);
/// `slug` or `slug@version`; the `@` stays as it is.
result<std::string> slug_target(std::string_view slug, below what = below::itself);
result<std::string> workflow_target(std::string_view id, below what = below::itself);
result<std::string> task_target(std::string_view id, below what = below::itself);
std::string presign_target();

/// {"parameters":{…}}
std::string run_body(const boost::json::object& parameters);

/// {"file_name","file_size","content_type"}. invalid_argument if the name is empty, longer than 255 bytes, has a slash,
/// a backslash or a control character, or is not UTF-8; if the size does not fit into int64; or if the content type is
/// not of the form type/subtype in visible ASCII.
result<std::string> presign_body(std::string_view file_name, std::uint64_t file_size, std::string_view content_type);

}  // namespace vembed::cyberun
