#pragma once
/// The bulk engine: source → pack → submit → settle → fetch and verify → journal and sink, many jobs at once.

#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/async_source.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/runtime/environment.hpp>

#include "bulk/job_backend.hpp"

namespace vembed::bulk {

/// A corpus of either kind: exactly one is set.
class corpus_source {
public:
    row_source* rows = nullptr;
    async_row_source* async = nullptr;

    corpus_source() = default;
    explicit corpus_source(row_source& from) : rows(&from) {}
    explicit corpus_source(async_row_source& from) : async(&from) {}

    [[nodiscard]] std::optional<std::uint64_t> size_hint() const {
        return rows != nullptr ? rows->size_hint() : async->size_hint();
    }
};

/// Runs a corpus through a backend. `backend`, `source` and `sink` must outlive it. See client::embed_corpus.
asio::awaitable<result<bulk_report>> run(asio::any_io_executor executor, std::shared_ptr<environment> env,
                                         job_backend* backend, corpus_source source, row_sink* sink,
                                         std::shared_ptr<bulk_options> options, monotonic_time deadline);

}  // namespace vembed::bulk
