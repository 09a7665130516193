#include <vembed/aitbc/client.hpp>

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/dispatch.hpp>

#include "aitbc/client/client_core.hpp"
#include "operation/launch.hpp"

namespace vembed::aitbc {

using detail::client_core;
using vembed::detail::call_timeout;
using vembed::detail::job_timeout;
using vembed::detail::no_timeout;
using vembed::detail::within;

namespace {

// The operation that does `work` with a part of the client's core once the calls are counted where they should be.
template <template <class> class Returns, class Part, class Work, class... Given>
auto ask(std::shared_ptr<client_core> core, call_options options, const std::shared_ptr<Part> client_core::*part,
         Work work, Given... given) {
    auto body = [part, work](std::shared_ptr<client_core> on, Given... kept, monotonic_time deadline) {
        Part& of = *((*on).*part);
        return on->after_sharing(std::invoke(work, of, std::move(kept)..., deadline), deadline);
    };
    return vembed::detail::call<Returns>(std::move(core), std::move(options), std::move(body), std::move(given)...);
}

}  // namespace

template <template <class> class Returns>
Returns<submitted_job> operations<Returns>::submit(job_request request, call_options options) {
    return ask<Returns>(core_, within(job_timeout, std::move(options)), &client_core::submissions, &submitting::submit,
                        std::shared_ptr<const job_request>(std::make_shared<job_request>(std::move(request))),
                        admission::applicant());
}

template <template <class> class Returns>
Returns<job> operations<Returns>::get_job(std::string id, call_options options) {
    return ask<Returns>(core_, within(call_timeout, std::move(options)), &client_core::api, &endpoints::get_job,
                        std::move(id));
}

template <template <class> class Returns>
Returns<std::vector<job>> operations<Returns>::get_jobs(job_filter filter, call_options options) {
    return ask<Returns>(core_, within(job_timeout, std::move(options)), &client_core::api, &endpoints::get_jobs,
                        std::move(filter));
}

template <template <class> class Returns>
Returns<job> operations<Returns>::wait_job(std::string id, job_progress progress, call_options options) {
    return ask<Returns>(core_, within(no_timeout, std::move(options)), &client_core::waiting,
                        &job_waiting::wait_and_read, std::move(id), std::move(progress));
}

template <template <class> class Returns>
Returns<job> operations<Returns>::cancel_job(std::string id, call_options options) {
    return ask<Returns>(core_, within(call_timeout, std::move(options)), &client_core::api, &endpoints::cancel_job,
                        std::move(id));
}

template <template <class> class Returns>
Returns<job_product> operations<Returns>::get_product(std::string id, call_options options) {
    return ask<Returns>(core_, within(job_timeout, std::move(options)), &client_core::api, &endpoints::get_product,
                        std::move(id));
}

template <template <class> class Returns>
Returns<std::vector<job>> operations<Returns>::get_history(std::optional<wall_time> from, std::optional<wall_time> to,
                                                           call_options options) {
    return ask<Returns>(core_, within(job_timeout, std::move(options)), &client_core::api, &endpoints::get_history,
                        from, to);
}

template <template <class> class Returns>
Returns<receipt> operations<Returns>::get_receipt(std::string id, call_options options) {
    return ask<Returns>(core_, within(call_timeout, std::move(options)), &client_core::api, &endpoints::get_receipt,
                        std::move(id));
}

template <template <class> class Returns>
Returns<receipt_page> operations<Returns>::get_receipts(std::string id, call_options options) {
    return ask<Returns>(core_, within(call_timeout, std::move(options)), &client_core::api, &endpoints::get_receipts,
                        std::move(id));
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

}  // namespace vembed::aitbc
