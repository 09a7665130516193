#include "client/jobs/bulk_run.hpp"

#include "client/jobs/cyberian_backend.hpp"
#include "operation/durations.hpp"

namespace vembed::detail {

asio::awaitable<result<bulk_report>> run_bulk(std::shared_ptr<client_core> core, bulk::corpus_source source,
                                              row_sink* sink, std::shared_ptr<bulk_options> options,
                                              monotonic_time deadline) {
    if (options->model.empty() == options->spec_yaml.empty()) {
        co_return error(errc::invalid_argument, "give exactly one of a model and a specification");
    }
    options->job_timeout = bounded(options->job_timeout);
    options->progress_interval = bounded(options->progress_interval);
    options->arrival_wait = bounded(options->arrival_wait);
    options->visible_within = bounded(options->visible_within);
    if (options->identity.service.empty()) {
        options->identity.service = core->base_url;
    }
    cyberian_backend backend(core, options->model, options->spec_yaml);
    co_return co_await bulk::run(core->executor, core->env, &backend, source, sink, options, deadline);
}

}  // namespace vembed::detail
