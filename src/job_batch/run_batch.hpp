#pragma once
/// Runs a batch of jobs: submits each request once, waits for the jobs, keeps what they made.

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/job_batch/job_batch.hpp>
#include <vembed/runtime/environment.hpp>

#include "job_batch/backend.hpp"

namespace vembed::job_batch {

/// Goes on with the folder's batch or begins it. One request is under way to the service at a time, so that after a
/// kill at most one is in doubt, which the newest jobs decide. A request that is refused has failed; if the first ten
/// are refused, the run ends, because the rest would be. Errors: bad_input, folder_mismatch, journal_damaged, io,
/// cancelled.
asio::awaitable<result<job_batch_report>> run_batch(asio::any_io_executor executor, std::shared_ptr<environment> env,
                                                    std::shared_ptr<backend> by, std::string requests_path,
                                                    std::string folder, job_batch_options options);

}  // namespace vembed::job_batch
