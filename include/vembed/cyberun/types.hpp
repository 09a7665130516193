#pragma once
/// @file
/// The values that Cyberun's endpoints take and give. Response types keep the response's JSON in `raw`, so that fields
/// this version does not know stay reachable. Optional fields are empty when absent or null. The source of every field
/// is section 2 of the wire contract.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include <vembed/core/message.hpp>

namespace vembed::cyberun {

/// The states of a task. `unknown` is any word not documented; it is never final.
enum class task_state : std::uint8_t {
    pending,
    waiting,
    provisioning,
    queued,
    running,
    completed,
    failed,
    cancelled,
    unknown
};

/// What a state means for whoever waits.
enum class task_class : std::uint8_t { waiting, running, done, failed, cancelled, unknown };

std::string_view to_string(task_state state) noexcept;
std::string_view to_string(task_class of) noexcept;

/// The state that a word names, whatever its case; `canceled` is `cancelled`.
task_state task_state_of(std::string_view word) noexcept;

constexpr task_class class_of(task_state state) noexcept {
    switch (state) {
        case task_state::pending:
        case task_state::waiting:
        case task_state::provisioning:
        case task_state::queued: return task_class::waiting;
        case task_state::running: return task_class::running;
        case task_state::completed: return task_class::done;
        case task_state::failed: return task_class::failed;
        case task_state::cancelled: return task_class::cancelled;
        case task_state::unknown: return task_class::unknown;
    }
    return task_class::unknown;
}

/// completed, failed and cancelled are final.
constexpr bool is_terminal(task_state state) noexcept {
    return state == task_state::completed || state == task_state::failed || state == task_state::cancelled;
}

enum class parameter_type : std::uint8_t { string, number, boolean, select, file, unknown };

std::string_view to_string(parameter_type type) noexcept;

/// One parameter that a workflow takes.
class workflow_parameter {
public:
    std::string key;
    parameter_type type = parameter_type::unknown;
    std::string type_text;  ///< The service's own word.
    std::string label;
    std::string description;
    bool required = false;
    boost::json::value default_value;  ///< Null if there is none.
    std::optional<double> min;         ///< Of a number.
    std::optional<double> max;
    std::vector<boost::json::value> options;  ///< The values of a select.
    std::vector<std::string> accept;          ///< The kinds of file that a file parameter takes.
    std::string source_key;                   ///< Empty if there is none. Its meaning is not documented.
    boost::json::value raw;

    workflow_parameter() = default;
};

/// GET /r/workflows/slug/{slug} and /r/workflows/{id}, or an item of GET /r/workflows.
class workflow {
public:
    std::string id;
    std::string slug;
    std::string display_name;
    std::uint64_t version = 0;
    std::string status_text;   ///< "active", "disabled", or a word that is not documented.
    bool is_disabled = false;  ///< A disabled workflow cannot be run.
    std::vector<workflow_parameter> parameters;
    bool parameters_known = false;  ///< The response had a list of parameters; an item of a page may have none.
    std::vector<std::string> required_labels;
    std::uint64_t task_timeout_s = 0;  ///< 0: none.
    std::uint64_t max_retries = 0;
    std::string tool_type;
    boost::json::value raw;

    workflow() = default;
};

/// GET /r/tasks/{id}, or an item of GET /r/tasks.
class task {
public:
    std::string id;
    std::string workflow_id;
    task_state state = task_state::unknown;
    std::string state_text;  ///< The service's own word.
    std::string error_text;  ///< Why it failed; empty otherwise.
    std::uint64_t retry_count = 0;
    std::optional<std::string> created_at;
    std::optional<std::string> started_at;
    std::optional<std::string> completed_at;
    std::optional<std::string> agent_id;
    std::optional<std::string> gpu_type;
    boost::json::value raw;

    task() = default;
};

/// A file that a task made, behind a presigned URL: whoever has the URL has the file.
class output_link {
public:
    std::string output_id;  ///< Not a file name. "output" for a file that the service gives without an id.
    std::string url;        ///< Byte for byte as the service wrote it.

    output_link() = default;
    output_link(std::string id, std::string link) : output_id(std::move(id)), url(std::move(link)) {}
    friend bool operator==(const output_link&, const output_link&) = default;
};

/// GET /r/tasks/{id}/result. `outputs` is the union of `download_url` and `download_urls`.
class task_result {
public:
    std::string id;
    task_state state = task_state::unknown;
    std::string state_text;
    std::string error_text;
    std::vector<output_link> outputs;
    boost::json::value output;  ///< `task_output`, or null.
    std::optional<std::string> expires_at;
    std::optional<std::string> completed_at;
    boost::json::value raw;

    task_result() = default;
};

/// POST /r/workflows/…/run.
class accepted_task {
public:
    std::string task_id;
    boost::json::value raw;

    accepted_task() = default;
};

/// POST /r/files/presign. `upload_headers` are signed: the upload sends each of them unchanged.
class presigned_upload {
public:
    std::string file_key;  ///< The value of the file parameter once the bytes were sent.
    std::string upload_url;
    std::vector<header_field> upload_headers;
    boost::json::value raw;

    presigned_upload() = default;
};

/// Where a page stands in its list.
class page_meta {
public:
    std::uint64_t current_page = 1;
    std::uint64_t per_page = 20;
    std::optional<std::uint64_t> total_count;

    page_meta() = default;
};

/// GET /r/workflows.
class workflow_page {
public:
    std::vector<workflow> workflows;
    page_meta meta;
    boost::json::value raw;

    workflow_page() = default;
};

/// GET /r/tasks.
class task_page {
public:
    std::vector<task> tasks;
    page_meta meta;
    boost::json::value raw;

    task_page() = default;
};

}  // namespace vembed::cyberun
