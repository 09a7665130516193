#include <memory>
#include <utility>

#include <vembed/cyberun/batch.hpp>

#include "cyberun/batch/batch_backend.hpp"
#include "cyberun/wire/routes.hpp"
#include "job_batch/request_line.hpp"
#include "job_batch/run_batch.hpp"
#include "operation/launch.hpp"

namespace vembed::cyberun {
namespace {

using detail::client_core;

template <template <class> class Returns>
auto start(const operations<Returns>& with, std::string requests, std::string folder, job_batch_options options,
           call_options call) {
    auto body = [](std::shared_ptr<client_core> core, std::string from, std::string into, job_batch_options chosen,
                   monotonic_time /*deadline*/) {
        auto by = std::make_shared<batch_backend>(core);
        return job_batch::run_batch(core->executor, core->env, std::move(by), std::move(from), std::move(into),
                                    std::move(chosen));
    };
    return vembed::detail::call<Returns>(detail::core_access::of(with),
                                         vembed::detail::within(vembed::detail::no_timeout, std::move(call)), body,
                                         std::move(requests), std::move(folder), std::move(options));
}

}  // namespace

result<run_request> read_run_request(std::string_view line) {
    const result<boost::json::object> read = job_batch::read_request_line(line);
    if (!read) {
        return read.error();
    }
    run_request made;
    for (const auto& [name, value] : *read) {
        if ((name == "workflow" || name == "workflow_id") && value.is_string()) {
            (name == "workflow" ? made.workflow : made.workflow_id) = std::string(value.get_string());
        } else if (name == "parameters" && value.is_object()) {
            made.parameters = value.get_object();
        } else if (name == "workflow" || name == "workflow_id" || name == "parameters") {
            return job_batch::not_of_kind(name, name == "parameters" ? "an object" : "a text");
        } else {
            return job_batch::unknown_member(name);
        }
    }
    if (made.workflow.empty() == made.workflow_id.empty()) {
        return error(errc::invalid_argument, "name the workflow by \"workflow\" (its slug) or by \"workflow_id\"");
    }
    const result<std::string> target =
        made.workflow.empty() ? workflow_target(made.workflow_id) : slug_target(made.workflow);
    if (!target) {
        return target.error();
    }
    return made;
}

operation<job_batch_report> run_batch(client& with, std::string requests, std::string folder, job_batch_options options,
                                      call_options call) {
    return start(with, std::move(requests), std::move(folder), std::move(options), std::move(call));
}

result<job_batch_report> run_batch(blocking_client& with, std::string requests, std::string folder,
                                   job_batch_options options, call_options call) {
    return start(with, std::move(requests), std::move(folder), std::move(options), std::move(call));
}

}  // namespace vembed::cyberun
