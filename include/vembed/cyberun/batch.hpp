#pragma once
/// @file
/// A batch of Cyberun tasks: one run a line in, one folder out.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>
#include <vembed/cyberun/client.hpp>
#include <vembed/job_batch/job_batch.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed::cyberun {

/// One run of a workflow.
class run_request {
public:
    std::string workflow;     ///< Its slug, or slug@version; empty if `workflow_id` is set.
    std::string workflow_id;  ///< Or its id.
    boost::json::object parameters;

    run_request() = default;
};

/// Reads a line of a batch: `{"workflow": "slug", "parameters": {…}}`, or `workflow_id` instead of `workflow`.
/// invalid_argument names a member that is missing, unknown or of another type.
result<run_request> read_run_request(std::string_view line);

/// Runs the requests of the file `requests`, one JSON object a line (read_run_request()), waits for their tasks and
/// downloads their files into `folder`, as vembed::aitbc::run_batch does for its service:
///   - `results.jsonl`: a line for each ended request, in the order of the requests: `line`, `id`, `state`, `files`
///     (name, bytes, output_id), times, `error` if it failed;
///   - `files/<line>/`: the files of its task;
///   - `failed.jsonl`: the requests that failed, unchanged, so that the file is a batch again;
///   - `manifest.json`; `journal.sqlite` and `records.jsonl`, from which the same call goes on after any end, kill -9
///     included. No accepted run is sent again.
///
/// The parameters of each request are checked against its workflow before it is sent. A lost response is decided by the
/// list of tasks, if exactly one task of the workflow fits its time; else the request stays in doubt. The client must
/// outlive the operation. Errors: bad_input, folder_mismatch, journal_damaged, io, cancelled.
operation<job_batch_report> run_batch(client& with, std::string requests, std::string folder,
                                      job_batch_options options = {}, call_options call = {});
/// The same, waiting for its end.
result<job_batch_report> run_batch(blocking_client& with, std::string requests, std::string folder,
                                   job_batch_options options = {}, call_options call = {});

}  // namespace vembed::cyberun
