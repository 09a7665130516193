#include <vembed/client/client.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bulk/pipeline.hpp"
#include "client/client_core.hpp"
#include "client/durations.hpp"
#include "client/jobs/attest.hpp"
#include "client/jobs/cyberian_backend.hpp"
#include "client/jobs/embed.hpp"

namespace vembed {

using detail::client_core;
using detail::operation;

namespace {

constexpr std::chrono::milliseconds embed_timeout{600'000};

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

asio::awaitable<result<bulk_report>> run_bulk(std::shared_ptr<client_core> core, bulk::corpus_source source,
                                              row_sink* sink, std::shared_ptr<bulk_options> options,
                                              monotonic_time deadline) {
    if (options->model.empty() == options->spec_yaml.empty()) {
        co_return error(errc::invalid_argument, "give exactly one of a model and a specification");
    }
    options->job_timeout = detail::bounded(options->job_timeout);
    options->progress_interval = detail::bounded(options->progress_interval);
    options->arrival_wait = detail::bounded(options->arrival_wait);
    options->visible_within = detail::bounded(options->visible_within);
    if (options->identity.service.empty()) {
        options->identity.service = core->base_url;
    }
    detail::cyberian_backend backend(core, options->model, options->spec_yaml);
    co_return co_await bulk::run(core->executor, core->env, &backend, source, sink, options, deadline);
}

}  // namespace

client::client(std::shared_ptr<client_core> core) noexcept : core_(std::move(core)) {}

client::client(asio::any_io_executor executor, client_options options)
    : core_(client_core::make(std::move(executor), std::move(options)).value()) {}

result<client> client::make(asio::any_io_executor executor, client_options options) {
    auto core = client_core::make(std::move(executor), std::move(options));
    if (!core) {
        return core.error();
    }
    return client(std::move(*core));
}

std::shared_ptr<client_core> detail::core_of(const client& of) noexcept {
    return of.core_;
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

std::shared_ptr<environment> client::get_environment() const noexcept {
    return core_->env;
}

std::string client::base_url() const {
    return core_->base_url;
}

operation<embeddings> client::prepare_embed(job_request request) {
    operation<embeddings> made([shared = std::make_shared<job_request>(std::move(request))](
                                   std::shared_ptr<client_core> core, monotonic_time deadline) {
        return detail::embed(std::move(core), shared, deadline);
    });
    made.default_timeout = embed_timeout;
    return made;
}

namespace {

operation<bulk_report> bulk_operation(bulk::corpus_source source, row_sink& sink, bulk_options bulk) {
    operation<bulk_report> made([from = source, to = &sink, options = std::make_shared<bulk_options>(std::move(bulk))](
                                    std::shared_ptr<client_core> core, monotonic_time deadline) {
        return run_bulk(std::move(core), from, to, options, deadline);
    });
    made.default_timeout = std::chrono::milliseconds(0);
    return made;
}

}  // namespace

operation<bulk_report> client::prepare_embed_corpus(row_source& source, row_sink& sink, bulk_options bulk) {
    return bulk_operation(bulk::corpus_source(source), sink, std::move(bulk));
}

operation<bulk_report> client::prepare_embed_corpus(async_row_source& source, row_sink& sink, bulk_options bulk) {
    return bulk_operation(bulk::corpus_source(source), sink, std::move(bulk));
}

operation<job> client::prepare_submit_job(job_request request) {
    return operation<job>(
        [shared = share(std::move(request))](std::shared_ptr<client_core> core, monotonic_time deadline) {
            return submit(std::move(core), shared, deadline);
        });
}

operation<job> client::prepare_get_job(std::string id) {
    return operation<job>([id = std::move(id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
        return core->api->get_job(id, deadline);
    });
}

operation<job> client::prepare_wait_job(std::string id, std::chrono::seconds max_wait) {
    return operation<job>([id = std::move(id), max_wait](std::shared_ptr<client_core> core, monotonic_time deadline) {
        return core->api->wait_job(id, max_wait, deadline);
    });
}

operation<job> client::prepare_settle_job(std::string id) {
    operation<job> made([id = std::move(id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
        return core->api->settle(id, deadline);
    });
    made.default_timeout = embed_timeout;
    return made;
}

operation<job_results> client::prepare_get_job_results(std::string id) {
    return operation<vembed::job_results>(
        [id = std::move(id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
            return core->api->results(id, deadline);
        });
}

operation<job_output> client::prepare_get_job_output(std::string id, std::uint64_t rows) {
    return operation<vembed::job_output>(
        [id = std::move(id), rows](std::shared_ptr<client_core> core, monotonic_time deadline) {
            return fetch_output(std::move(core), id, rows, deadline);
        });
}

operation<receipt> client::prepare_get_receipt(std::string id) {
    return operation<vembed::receipt>([id = std::move(id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
        return core->api->get_receipt(id, deadline);
    });
}

operation<receipt_verification> client::prepare_verify_receipt(std::string id) {
    return operation<receipt_verification>(
        [id = std::move(id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
            return verify(std::move(core), id, deadline);
        });
}

operation<receipt> client::prepare_verify_outputs(job_request request, std::string commitment) {
    operation<vembed::receipt> made([shared = share(std::move(request)), commitment = std::move(commitment)](
                                        std::shared_ptr<client_core> core, monotonic_time deadline) {
        return detail::submit_claim(std::move(core), shared, commitment, deadline);
    });
    made.default_timeout = embed_timeout;
    return made;
}

operation<attestation> client::prepare_verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows) {
    result<std::string> claim = detail::claim_of(request, rows);
    operation<attestation> made([shared = share(std::move(request)), claim = std::move(claim)](
                                    std::shared_ptr<client_core> core, monotonic_time deadline) {
        return detail::attest(std::move(core), shared, claim, deadline);
    });
    made.default_timeout = embed_timeout;
    return made;
}

operation<std::vector<model_info>> client::prepare_get_models() {
    return operation<std::vector<model_info>>(
        [](std::shared_ptr<client_core> core, monotonic_time deadline) { return core->api->get_models(deadline); });
}

operation<account_info> client::prepare_get_account() {
    return operation<account_info>(
        [](std::shared_ptr<client_core> core, monotonic_time deadline) { return core->api->get_account(deadline); });
}

operation<rotated_key> client::prepare_rotate_key() {
    return operation<rotated_key>(
        [](std::shared_ptr<client_core> core, monotonic_time deadline) { return core->api->rotate_key(deadline); });
}

operation<void> client::prepare_revoke_key(std::string key_id) {
    return operation<void>([id = std::move(key_id)](std::shared_ptr<client_core> core, monotonic_time deadline) {
        return core->api->revoke_key(id, deadline);
    });
}

operation<health_info> client::prepare_get_health() {
    return operation<health_info>(
        [](std::shared_ptr<client_core> core, monotonic_time deadline) { return core->api->get_health(deadline); });
}

operation<raw_response> client::prepare_raw(http_method method, std::string target, std::string body) {
    return operation<raw_response>([method, target = std::move(target), body = std::move(body)](
                                       std::shared_ptr<client_core> core, monotonic_time deadline) {
        return send_raw(std::move(core), method, target, body, deadline);
    });
}

// The awaitable forms call the any-token forms with use_awaitable.

asio::awaitable<result<embeddings>> client::embed(std::string model, input_texts texts, call_options options) {
    return async_embed(job_request::for_model(std::move(model), std::move(texts).get()), std::move(options),
                       asio::use_awaitable);
}

asio::awaitable<result<embeddings>> client::embed(job_request request, call_options options) {
    return async_embed(std::move(request), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<bulk_report>> client::embed_corpus(row_source& source, row_sink& sink, bulk_options options,
                                                          call_options call) {
    return async_embed_corpus(source, sink, std::move(options), std::move(call), asio::use_awaitable);
}

asio::awaitable<result<bulk_report>> client::embed_corpus(async_row_source& source, row_sink& sink,
                                                          bulk_options options, call_options call) {
    return async_embed_corpus(source, sink, std::move(options), std::move(call), asio::use_awaitable);
}

asio::awaitable<result<job>> client::submit_job(job_request request, call_options options) {
    return async_submit_job(std::move(request), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<job>> client::get_job(std::string id, call_options options) {
    return async_get_job(std::move(id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<job>> client::wait_job(std::string id, std::chrono::seconds max_wait, call_options options) {
    return async_wait_job(std::move(id), max_wait, std::move(options), asio::use_awaitable);
}

asio::awaitable<result<job>> client::settle_job(std::string id, call_options options) {
    return async_settle_job(std::move(id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<job_results>> client::get_job_results(std::string id, call_options options) {
    return async_get_job_results(std::move(id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<job_output>> client::get_job_output(std::string id, std::uint64_t rows, call_options options) {
    return async_get_job_output(std::move(id), rows, std::move(options), asio::use_awaitable);
}

asio::awaitable<result<receipt>> client::get_receipt(std::string id, call_options options) {
    return async_get_receipt(std::move(id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<receipt_verification>> client::verify_receipt(std::string id, call_options options) {
    return async_verify_receipt(std::move(id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<receipt>> client::verify_outputs(job_request request, std::string claimed_output_commitment,
                                                        call_options options) {
    return async_verify_outputs(std::move(request), std::move(claimed_output_commitment), std::move(options),
                                asio::use_awaitable);
}

asio::awaitable<result<attestation>> client::verify_outputs(std::string model, input_texts texts,
                                                            const Eigen::Ref<const matrix>& rows,
                                                            call_options options) {
    return async_verify_outputs(std::move(model), std::move(texts), rows, std::move(options), asio::use_awaitable);
}

asio::awaitable<result<attestation>> client::verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                                            call_options options) {
    return async_verify_outputs(std::move(request), rows, std::move(options), asio::use_awaitable);
}

asio::awaitable<result<std::vector<model_info>>> client::get_models(call_options options) {
    return async_get_models(std::move(options), asio::use_awaitable);
}

asio::awaitable<result<account_info>> client::get_account(call_options options) {
    return async_get_account(std::move(options), asio::use_awaitable);
}

asio::awaitable<result<rotated_key>> client::rotate_key(call_options options) {
    return async_rotate_key(std::move(options), asio::use_awaitable);
}

asio::awaitable<result<void>> client::revoke_key(std::string key_id, call_options options) {
    return async_revoke_key(std::move(key_id), std::move(options), asio::use_awaitable);
}

asio::awaitable<result<health_info>> client::get_health(call_options options) {
    return async_get_health(std::move(options), asio::use_awaitable);
}

asio::awaitable<result<raw_response>> client::raw(http_method method, std::string target, std::string body,
                                                  call_options options) {
    return async_raw(method, std::move(target), std::move(body), std::move(options), asio::use_awaitable);
}

}  // namespace vembed
