#include "bulk/pipeline.hpp"

#include <utility>

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

#include "bulk/engine/engine.hpp"

namespace vembed {

BOOST_DESCRIBE_ENUM(stop_reason, complete, stopped, quota, parked_batches, service_busy, chunk_budget, faulty_jobs)

std::string_view to_string(stop_reason reason) noexcept {
    return boost::describe::enum_to_string(reason, "invalid");
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
