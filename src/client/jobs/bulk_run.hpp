#pragma once
/// A bulk run of a client.

#include <memory>

#include "bulk/pipeline.hpp"
#include "client/client_core.hpp"

namespace vembed::detail {

/// Embeds a corpus as client::embed_corpus() does. Runs on the client's executor; `sink` must outlive it.
asio::awaitable<result<bulk_report>> run_bulk(std::shared_ptr<client_core> core, bulk::corpus_source source,
                                              row_sink* sink, std::shared_ptr<bulk_options> options,
                                              monotonic_time deadline);

}  // namespace vembed::detail
