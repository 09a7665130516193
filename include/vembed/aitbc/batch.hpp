#pragma once
/// @file
/// A batch of AITBC jobs: one request a line in, one folder out.

#include <string>
#include <string_view>

#include <vembed/aitbc/client.hpp>
#include <vembed/aitbc/types.hpp>
#include <vembed/core/result.hpp>
#include <vembed/job_batch/job_batch.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed::aitbc {

/// Reads a line of a batch: a JSON object with the members of a request as the documented service takes it (`model`,
/// `input`, `output_config`, `requirements`, `priority`, `timeout_seconds`) and, for the coordinator dialect,
/// `payload`, `constraints`, `payment_amount` and `payment_currency`. invalid_argument names a member that is unknown
/// or of another type.
result<job_request> read_request(std::string_view line);

/// Submits the requests of the file `requests`, one JSON object a line (read_request()), waits for their jobs and keeps
/// what they made in `folder`:
///   - `results.jsonl`: a line for each ended request, in the order of the requests: `line`, `id`, `state`, `files`
///     (name, bytes, sha256), costs and times as the service says, `error` if it failed;
///   - `files/`: the results, named after the line;
///   - `failed.jsonl`: the requests that failed, unchanged, so that the file is a batch again;
///   - `manifest.json`; `journal.sqlite` and `records.jsonl`, from which the same call goes on after any end, kill -9
///     included. No accepted request is submitted again.
///
/// Ends early, with a report that says why, if the key or the account is refused, the service cannot be reached, or
/// options.stop is requested. Errors: bad_input (a line is no request; nothing was submitted), folder_mismatch,
/// journal_damaged, io, cancelled. The client must outlive the operation.
operation<job_batch_report> run_batch(client& with, std::string requests, std::string folder,
                                      job_batch_options options = {}, call_options call = {});
/// The same, waiting for its end.
result<job_batch_report> run_batch(blocking_client& with, std::string requests, std::string folder,
                                   job_batch_options options = {}, call_options call = {});

}  // namespace vembed::aitbc
