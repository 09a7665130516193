#include <memory>
#include <utility>

#include <vembed/aitbc/batch.hpp>

#include "aitbc/batch/batch_backend.hpp"
#include "job_batch/run_batch.hpp"
#include "operation/launch.hpp"

namespace vembed::aitbc {
namespace {

using detail::client_core;

asio::awaitable<result<job_batch_report>> run(std::shared_ptr<client_core> core, std::string requests,
                                              std::string folder, job_batch_options options,
                                              monotonic_time /*deadline*/) {
    auto by = std::make_shared<batch_backend>(core);
    return job_batch::run_batch(core->executor, core->env, std::move(by), std::move(requests), std::move(folder),
                                std::move(options));
}

template <template <class> class Returns>
auto start(const operations<Returns>& with, std::string requests, std::string folder, job_batch_options options,
           call_options call) {
    auto body = [](std::shared_ptr<client_core> core, std::string from, std::string into, job_batch_options chosen,
                   monotonic_time deadline) {
        auto running = run(core, std::move(from), std::move(into), std::move(chosen), deadline);
        return core->after_sharing(std::move(running), deadline);
    };
    return vembed::detail::call<Returns>(detail::core_access::of(with),
                                         vembed::detail::within(vembed::detail::no_timeout, std::move(call)), body,
                                         std::move(requests), std::move(folder), std::move(options));
}

}  // namespace

operation<job_batch_report> run_batch(client& with, std::string requests, std::string folder, job_batch_options options,
                                      call_options call) {
    return start(with, std::move(requests), std::move(folder), std::move(options), std::move(call));
}

result<job_batch_report> run_batch(blocking_client& with, std::string requests, std::string folder,
                                   job_batch_options options, call_options call) {
    return start(with, std::move(requests), std::move(folder), std::move(options), std::move(call));
}

}  // namespace vembed::aitbc
