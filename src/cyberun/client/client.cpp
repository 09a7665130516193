#include <vembed/cyberun/client.hpp>

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/dispatch.hpp>

#include "cyberun/client/client_core.hpp"
#include "operation/launch.hpp"

namespace vembed::cyberun {

using detail::client_core;
using vembed::detail::call;
using vembed::detail::call_timeout;
using vembed::detail::job_timeout;
using vembed::detail::no_timeout;
using vembed::detail::within;

namespace {

// The operation that does `work` with a part of the client's core.
template <template <class> class Returns, class Part, class Work, class... Given>
auto ask(std::shared_ptr<client_core> core, call_options options, const std::shared_ptr<Part> client_core::*part,
         Work work, Given... given) {
    auto body = [part, work](std::shared_ptr<client_core> on, Given... kept, monotonic_time deadline) {
        Part& of = *((*on).*part);
        return std::invoke(work, of, std::move(kept)..., deadline);
    };
    return call<Returns>(std::move(core), std::move(options), std::move(body), std::move(given)...);
}

list_query page_of(std::uint64_t page, std::uint64_t per_page) {
    list_query query;
    query.current_page = page;
    query.per_page = per_page;
    return query;
}

}  // namespace

template <template <class> class Returns>
Returns<workflow_page> operations<Returns>::get_workflow_page(std::uint64_t page, std::uint64_t per_page,
                                                              call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_workflow_page,
                         page_of(page, per_page));
}

template <template <class> class Returns>
Returns<std::vector<workflow>> operations<Returns>::get_workflows(call_options options) {
    return call<Returns>(core_, within(job_timeout, std::move(options)), &endpoints::get_workflows);
}

template <template <class> class Returns>
Returns<workflow> operations<Returns>::get_workflow(std::string slug, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_workflow, std::move(slug));
}

template <template <class> class Returns>
Returns<workflow> operations<Returns>::get_workflow_by_id(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_workflow_by_id,
                         std::move(id));
}

template <template <class> class Returns>
Returns<accepted_task> operations<Returns>::run(std::string slug, boost::json::object parameters,
                                                call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::run,
                         workflow_name(std::move(slug), false), run_body(parameters), admission::applicant());
}

template <template <class> class Returns>
Returns<accepted_task> operations<Returns>::run_by_id(std::string id, boost::json::object parameters,
                                                      call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::run,
                         workflow_name(std::move(id), true), run_body(parameters), admission::applicant());
}

template <template <class> class Returns>
Returns<task> operations<Returns>::get_task(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_task, std::move(id));
}

template <template <class> class Returns>
Returns<std::vector<task>> operations<Returns>::get_tasks(task_filter filter, call_options options) {
    return call<Returns>(core_, within(job_timeout, std::move(options)), &endpoints::get_tasks, std::move(filter));
}

template <template <class> class Returns>
Returns<task> operations<Returns>::cancel_task(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::cancel_task, std::move(id));
}

template <template <class> class Returns>
Returns<task_result> operations<Returns>::get_result(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_result, std::move(id));
}

template <template <class> class Returns>
Returns<task> operations<Returns>::wait_task(std::string id, wait_options how, call_options options) {
    return ask<Returns>(core_, within(no_timeout, std::move(options)), &client_core::waiting, &task_waiting::wait,
                        std::move(id), std::make_shared<const wait_options>(std::move(how)));
}

template <template <class> class Returns>
Returns<std::string> operations<Returns>::upload_file(std::string path, std::string content_type,
                                                      call_options options) {
    return ask<Returns>(core_, within(no_timeout, std::move(options)), &client_core::uploads, &uploading::upload,
                        std::move(path), std::move(content_type));
}

template <template <class> class Returns>
Returns<std::vector<saved_file>> operations<Returns>::download(std::string id, std::string folder,
                                                               download_options what, call_options options) {
    return ask<Returns>(core_, within(no_timeout, std::move(options)), &client_core::downloads, &downloading::download,
                        std::move(id), std::move(folder), std::move(what));
}

template <template <class> class Returns>
std::string operations<Returns>::base_url() const {
    return core_->base_url;
}

template class operations<operation>;
template class operations<result>;

client::client(asio::any_io_executor executor, client_options options)
    : operations(client_core::make(std::move(executor), std::move(options)).value()) {}

client::client(std::shared_ptr<client_core> core) noexcept : operations(std::move(core)) {}

result<client> client::make(asio::any_io_executor executor, client_options options) {
    auto core = client_core::make(std::move(executor), std::move(options));
    if (!core) {
        return core.error();
    }
    return client(std::move(*core));
}

client::~client() {
    if (core_) {
        const asio::any_io_executor executor = core_->executor;
        asio::dispatch(executor, [core = std::move(core_)] { core->shut_down(); });
    }
}

client& client::operator=(client&& other) noexcept {
    client taken(std::move(other));  // Its destructor shuts down the client that this object held.
    std::swap(core_, taken.core_);
    return *this;
}

asio::any_io_executor client::get_executor() const noexcept {
    return core_->executor;
}

}  // namespace vembed::cyberun
