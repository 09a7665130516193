#pragma once
/// Reads Cyberun's JSON into typed values, tolerantly: only what the next step needs is required (wire contract
/// section 2).

#include <cstdint>
#include <optional>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/cyberun/types.hpp>

namespace vembed::cyberun {

/// Reads the body of a 2xx response. T is workflow, workflow_page, task, task_page, task_result, accepted_task or
/// presigned_upload. protocol if it is not JSON, or if a member is missing without which there is nothing to go on: the
/// `task_id` of an accepted task; `file_key` and `upload_url`; the list of a page; the id or slug of a workflow; the
/// state of a task. URLs never get into a message.
template <class T>
result<T> read_response(std::string_view body);

/// The number of the page after this one, nothing if this is the last. `items` is how many items it has. Without a
/// total_count a full page means that there may be another.
std::optional<std::uint64_t> next_page(const page_meta& meta, std::size_t items) noexcept;

}  // namespace vembed::cyberun
