#include <memory>
#include <utility>

#include <boost/json/parse.hpp>

#include <vembed/cyberun/batch.hpp>

#include "cyberun/batch/batch_backend.hpp"
#include "cyberun/wire/routes.hpp"
#include "job_batch/run_batch.hpp"
#include "operation/launch.hpp"
#include "text/json/readable_json.hpp"

namespace vembed::cyberun {
namespace {

namespace json = boost::json;
using detail::client_core;

error bad_request(std::string what) {
    return {errc::invalid_argument, std::move(what)};
}

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
    json::error_code broken;
    json::parse_options options;
    options.max_depth = text::json_depth_max;
    const json::value read = json::parse(line, broken, {}, options);
    if (broken || !read.is_object()) {
        return bad_request("it is not a JSON object");
    }
    run_request made;
    for (const auto& [name, value] : read.get_object()) {
        if ((name == "workflow" || name == "workflow_id") && value.is_string()) {
            (name == "workflow" ? made.workflow : made.workflow_id) = std::string(value.get_string());
        } else if (name == "parameters" && value.is_object()) {
            made.parameters = value.get_object();
        } else if (name == "workflow" || name == "workflow_id" || name == "parameters") {
            return bad_request("\"" + std::string(name) + "\" is not " +
                               (name == "parameters" ? "an object" : "a text"));
        } else {
            return bad_request("\"" + std::string(name) + "\" is no member of a request");
        }
    }
    if (made.workflow.empty() == made.workflow_id.empty()) {
        return bad_request("name the workflow by \"workflow\" (its slug) or by \"workflow_id\"");
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
