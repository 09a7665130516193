#include "cyberun/wire/routes.hpp"

#include <algorithm>
#include <limits>

#include <boost/json/serialize.hpp>

#include "cyberun/wire/assumptions.hpp"
#include "policy/input/base_url.hpp"
#include "policy/input/path_segment.hpp"
#include "text/utf8.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

namespace json = boost::json;

constexpr std::string_view workflows_path = "/r/workflows";
constexpr std::string_view tasks_path = "/r/tasks";
constexpr std::string_view slug_segment = "slug";
constexpr std::uint64_t per_page_max = 100;
constexpr std::size_t upload_name_bytes_max = 255;
constexpr std::size_t content_type_bytes_max = 127;

error bad_argument(std::string what) {
    return {errc::invalid_argument, std::move(what)};
}

std::string_view word_of(below what) {
    switch (what) {
        case below::run: return "/run";
        case below::result: return "/result";
        case below::cancel: return "/cancel";
        case below::events: return "/events";
        case below::itself: break;
    }
    return "";
}

result<std::string> target_of(std::string_view path, std::string_view id, below what) {
    auto segment = policy::encode_path_segment(id);
    if (!segment) {
        return segment.error();
    }
    return std::string(path) + "/" + *segment + std::string(word_of(what));
}

result<std::string> list_target(std::string_view path, const list_query& query) {
    if (query.current_page == 0) {
        return bad_argument("pages are counted from 1, and page 0 was asked for");
    }
    if (query.per_page == 0 || query.per_page > per_page_max) {
        return bad_argument("a page has 1 to 100 items, and " + std::to_string(query.per_page) + " were asked for");
    }
    const bool is_word =
        std::ranges::all_of(query.status, [](char c) { return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_'; });
    if (!is_word) {
        return bad_argument("a task's state is a word such as \"running\"");
    }
    return std::string(path) + "?current_page=" + std::to_string(query.current_page) +
           "&per_page=" + std::to_string(query.per_page) + (query.status.empty() ? "" : "&status=" + query.status);
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_content_type(std::string_view text) {
    const std::size_t slash = text.find('/');
    return text.size() <= content_type_bytes_max && slash != 0 && slash != std::string_view::npos &&
           slash + 1 < text.size() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

result<std::string> normal_base_url(std::string_view given) {
    const auto checked = policy::base_url_without_slash(given.empty() ? default_base_url : given,
                                                        "it is everything before /r, for example "
                                                        "https://core.cyberun.cloud/api/v1");
    if (!checked) {
        return checked.error();
    }
    std::string_view url = *checked;
    policy::drop_url_end(url, assumed::runtime_path);
    return std::string(url) + std::string(policy::is_host_only(url) ? assumed::api_path : "");
}

result<std::string> workflows_target(const list_query& query) {
    if (!query.status.empty()) {
        return bad_argument("workflows are not listed by state");
    }
    return list_target(workflows_path, query);
}

result<std::string> tasks_target(const list_query& query) {
    return list_target(tasks_path, query);
}

result<std::string> slug_target(std::string_view slug, below what) {
    const std::size_t at = slug.find('@');
    if (at == 0 || at + 1 == slug.size()) {
        return bad_argument("a workflow is named by its slug, or by slug@version");
    }
    return target_of(std::string(workflows_path) + "/" + std::string(slug_segment), slug, what);
}

result<std::string> workflow_target(std::string_view id, below what) {
    if (text::same_word(id, slug_segment)) {
        return bad_argument("\"slug\" is the name of a route and no workflow's id");
    }
    return target_of(workflows_path, id, what);
}

result<std::string> task_target(std::string_view id, below what) {
    return target_of(tasks_path, id, what);
}

std::string presign_target() {
    return "/r/files/presign";
}

std::string run_body(const json::object& parameters) {
    json::object body;
    body["parameters"] = parameters;
    return json::serialize(body);
}

result<std::string> presign_body(std::string_view file_name, std::uint64_t file_size, std::string_view content_type) {
    if (file_name.empty() || file_name.size() > upload_name_bytes_max) {
        return bad_argument("a file's name has 1 to 255 bytes");
    }
    if (file_name.find_first_of("/\\") != std::string_view::npos || std::ranges::any_of(file_name, is_control) ||
        text::first_invalid_utf8(file_name)) {
        return bad_argument("a file's name must be UTF-8 without slashes and control characters");
    }
    if (file_size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return bad_argument("a file of " + std::to_string(file_size) + " bytes is too large to be uploaded");
    }
    if (!is_content_type(content_type)) {
        return bad_argument("a content type has the form type/subtype, for example image/png");
    }
    json::object body;
    body["file_name"] = file_name;
    body["file_size"] = static_cast<std::int64_t>(file_size);
    body["content_type"] = content_type;
    return json::serialize(body);
}

}  // namespace vembed::cyberun
