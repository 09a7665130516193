#include "bulk/pipeline.hpp"

#include <utility>

#include "bulk/engine/engine.hpp"

namespace vembed {

std::string_view to_string(stop_reason reason) noexcept {
    switch (reason) {
        case stop_reason::complete: return "complete";
        case stop_reason::stopped: return "stopped";
        case stop_reason::quota: return "quota";
        case stop_reason::parked_batches: return "parked_batches";
        case stop_reason::service_busy: return "service_busy";
        case stop_reason::chunk_budget: return "chunk_budget";
        case stop_reason::faulty_jobs: return "faulty_jobs";
    }
    return "invalid";
}

namespace bulk {

asio::awaitable<result<bulk_report>> run(asio::any_io_executor executor, std::shared_ptr<environment> env,
                                         job_backend* backend, corpus_source source, row_sink* sink,
                                         std::shared_ptr<bulk_options> options, monotonic_time deadline) {
    run_parts parts;
    parts.executor = std::move(executor);
    parts.env = std::move(env);
    parts.backend = backend;
    parts.source = source;
    parts.sink = sink;
    parts.options = std::move(options);
    parts.deadline = deadline;
    const auto engine_of_run = std::make_shared<engine>(std::move(parts));
    co_return co_await engine_of_run->run();
}

}  // namespace bulk
}  // namespace vembed
