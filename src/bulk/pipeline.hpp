#pragma once
/// The bulk engine: source → pack → submit → settle → fetch and verify → journal and sink, many jobs at once.

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "bulk/job_backend.hpp"

namespace vembed::bulk {

/// Runs a corpus through a backend. `backend`, `source` and `sink` must outlive it. See client::embed_corpus.
asio::awaitable<result<bulk_report>> run(asio::any_io_executor executor, std::shared_ptr<environment> env,
                                         job_backend* backend, row_source* source, row_sink* sink,
                                         std::shared_ptr<bulk_options> options, monotonic_time deadline);

}  // namespace vembed::bulk
