#include <vembed/client/client.hpp>

#include <boost/asio/dispatch.hpp>

#include "client/client_core.hpp"
#include "client/jobs/attest.hpp"
#include "client/jobs/bulk_run.hpp"
#include "client/jobs/embed.hpp"
#include "operation/launch.hpp"

namespace vembed {

using cyberian::endpoints;
using detail::call;
using detail::call_timeout;
using detail::client_core;
using detail::job_timeout;
using detail::no_timeout;
using detail::within;

namespace {

std::shared_ptr<const job_request> share(job_request request) {
    return std::make_shared<const job_request>(std::move(request));
}

asio::awaitable<result<job>> submit(std::shared_ptr<client_core> core, std::shared_ptr<const job_request> request,
                                    monotonic_time deadline) {
    const result<void> learned = co_await core->learn_limits(deadline);
    if (!learned) {
        co_return learned.error();
    }
    result<cyberian::submission> submitted = co_await core->api->submit(request, admission::applicant(), deadline);
    if (!submitted) {
        co_return submitted.error();
    }
    // The caller watches the job; the gate cannot know when it ends.
    submitted->lease.end();
    co_return std::move(submitted->accepted);
}

asio::awaitable<result<job>> settle(std::shared_ptr<client_core> core, std::string id, monotonic_time deadline) {
    return core->api->settle(std::move(id), deadline);
}

// Places the rows of a single output directly in the matrix that is returned.
class matrix_place final : public cyberian::rows_place {
public:
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        values.resize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(dimensions));
        return std::span<float>(values.data(), static_cast<std::size_t>(values.size()));
    }

    matrix values;
};

asio::awaitable<result<job_output>> fetch_output(std::shared_ptr<client_core> core, std::string id, std::uint64_t rows,
                                                 monotonic_time deadline) {
    matrix_place place;
    std::vector<expected_chunk> unhashed;
    const result<cyberian::output_report> report =
        co_await core->api->output(std::move(id), rows, &place, std::move(unhashed), false, deadline);
    if (!report) {
        co_return report.error();
    }
    job_output fetched;
    fetched.rows = std::move(place.values);
    co_return fetched;
}

asio::awaitable<result<receipt_verification>> verify(std::shared_ptr<client_core> core, std::string id,
                                                     monotonic_time deadline) {
    result<receipt_verification> word = co_await core->api->verify_receipt(id, deadline);
    if (!word || word->valid) {
        co_return word;
    }
    error f(errc::verification_failed, "the service says that the receipt is not valid");
    f.receipt_id = id;
    f.checks = word->checks;
    f.errors = word->errors;
    co_return f;
}

asio::awaitable<result<raw_response>> send_raw(std::shared_ptr<client_core> core, http_method method,
                                               std::string target, std::string body, monotonic_time deadline) {
    result<http::response> got = co_await core->api->raw(method, std::move(target), std::move(body), deadline);
    if (!got) {
        co_return got.error();
    }
    raw_response response;
    response.status = got->head.status;
    response.headers = std::move(got->head.headers);
    response.body = std::move(got->body);
    co_return response;
}

}  // namespace

client::client(std::shared_ptr<client_core> core) noexcept : operations(std::move(core)) {}

client::client(asio::any_io_executor executor, client_options options)
    : operations(client_core::make(std::move(executor), std::move(options)).value()) {}

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

template <template <class> class Returns>
Returns<embeddings> operations<Returns>::embed(std::string model, input_texts texts, call_options options) {
    return embed(job_request::for_model(std::move(model), std::move(texts).get()), std::move(options));
}

template <template <class> class Returns>
Returns<embeddings> operations<Returns>::embed(job_request request, call_options options) {
    return call<Returns>(core_, within(job_timeout, std::move(options)), &detail::embed,
                         std::make_shared<job_request>(std::move(request)));
}

template <template <class> class Returns>
Returns<bulk_report> operations<Returns>::embed_corpus(row_source& source, row_sink& sink, bulk_options options,
                                                       call_options call_with) {
    return call<Returns>(core_, within(no_timeout, std::move(call_with)), &detail::run_bulk,
                         bulk::corpus_source(source), &sink, std::make_shared<bulk_options>(std::move(options)));
}

template <template <class> class Returns>
Returns<bulk_report> operations<Returns>::embed_corpus(async_row_source& source, row_sink& sink, bulk_options options,
                                                       call_options call_with) {
    return call<Returns>(core_, within(no_timeout, std::move(call_with)), &detail::run_bulk,
                         bulk::corpus_source(source), &sink, std::make_shared<bulk_options>(std::move(options)));
}

template <template <class> class Returns>
Returns<job> operations<Returns>::submit_job(job_request request, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &submit, share(std::move(request)));
}

template <template <class> class Returns>
Returns<job> operations<Returns>::get_job(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_job, std::move(id));
}

template <template <class> class Returns>
Returns<job> operations<Returns>::wait_job(std::string id, std::chrono::seconds max_wait, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::wait_job, std::move(id),
                         max_wait);
}

template <template <class> class Returns>
Returns<job> operations<Returns>::settle_job(std::string id, call_options options) {
    return call<Returns>(core_, within(job_timeout, std::move(options)), &settle, std::move(id));
}

template <template <class> class Returns>
Returns<job_results> operations<Returns>::get_job_results(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::results, std::move(id));
}

template <template <class> class Returns>
Returns<job_output> operations<Returns>::get_job_output(std::string id, std::uint64_t rows, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &fetch_output, std::move(id), rows);
}

template <template <class> class Returns>
Returns<receipt> operations<Returns>::get_receipt(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_receipt, std::move(id));
}

template <template <class> class Returns>
Returns<receipt_verification> operations<Returns>::verify_receipt(std::string id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &verify, std::move(id));
}

template <template <class> class Returns>
Returns<attestation> operations<Returns>::verify_outputs(std::string model, input_texts texts,
                                                         const Eigen::Ref<const matrix>& rows, call_options options) {
    return verify_outputs(job_request::for_model(std::move(model), std::move(texts).get()), rows, std::move(options));
}

template <template <class> class Returns>
Returns<attestation> operations<Returns>::verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                                         call_options options) {
    result<std::string> claim = detail::claim_of(request, rows);
    return call<Returns>(core_, within(job_timeout, std::move(options)), &detail::attest, share(std::move(request)),
                         std::move(claim));
}

template <template <class> class Returns>
Returns<receipt> operations<Returns>::verify_outputs(job_request request, std::string claimed_output_commitment,
                                                     call_options options) {
    return call<Returns>(core_, within(job_timeout, std::move(options)), &detail::submit_claim,
                         share(std::move(request)), std::move(claimed_output_commitment));
}

template <template <class> class Returns>
Returns<std::vector<model_info>> operations<Returns>::get_models(call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_models);
}

template <template <class> class Returns>
Returns<account_info> operations<Returns>::get_account(call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_account);
}

template <template <class> class Returns>
Returns<rotated_key> operations<Returns>::rotate_key(call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::rotate_key);
}

template <template <class> class Returns>
Returns<void> operations<Returns>::revoke_key(std::string key_id, call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::revoke_key, std::move(key_id));
}

template <template <class> class Returns>
Returns<health_info> operations<Returns>::get_health(call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &endpoints::get_health);
}

template <template <class> class Returns>
Returns<raw_response> operations<Returns>::raw(http_method method, std::string target, std::string body,
                                               call_options options) {
    return call<Returns>(core_, within(call_timeout, std::move(options)), &send_raw, method, std::move(target),
                         std::move(body));
}

template <template <class> class Returns>
std::string operations<Returns>::base_url() const {
    return core_->base_url;
}

template class operations<operation>;
template class operations<result>;

}  // namespace vembed
