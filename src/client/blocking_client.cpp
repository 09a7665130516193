#include <vembed/client/blocking_client.hpp>

#include <unistd.h>

#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace vembed {

class blocking_client::impl {
public:
    impl() : work_(context.get_executor()) {}

    // The client is destroyed first, which cancels its operations; the thread then runs until all of them have
    // completed.
    ~impl() {
        on_loop.reset();
        work_.reset();
        if (loop_.joinable()) {
            loop_.join();
        }
    }

    void start(client made) {
        on_loop.emplace(std::move(made));
        loop_ = std::thread([this] { context.run(); });
    }

    [[nodiscard]] bool in_forked_process() const noexcept { return ::getpid() != made_by_; }

    asio::io_context context{1};
    std::optional<client> on_loop;

private:
    const long made_by_ = ::getpid();
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread loop_;
};

blocking_client::blocking_client(client_options options) : impl_(std::make_unique<impl>()) {
    impl_->start(client::make(impl_->context.get_executor(), std::move(options)).value());
}

blocking_client::blocking_client(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
blocking_client::blocking_client(blocking_client&&) noexcept = default;
blocking_client& blocking_client::operator=(blocking_client&& other) noexcept {
    blocking_client taken(std::move(other));  // Its destructor ends the client that this object held.
    std::swap(impl_, taken.impl_);
    return *this;
}

// After fork(), the threads to wait for are not in this process, so their objects are not destroyed.
blocking_client::~blocking_client() {
    if (impl_ && impl_->in_forked_process()) {
        static_cast<void>(impl_.release());  // NOLINT(bugprone-unused-return-value)
    }
}

result<blocking_client> blocking_client::make(client_options options) {
    auto made = std::make_unique<impl>();
    auto on_loop = client::make(made->context.get_executor(), std::move(options));
    if (!on_loop) {
        return on_loop.error();
    }
    made->start(std::move(*on_loop));
    return blocking_client(std::move(made));
}

result<embeddings> blocking_client::embed(std::string model, input_texts texts, call_options options) {
    return embed(job_request::for_model(std::move(model), std::move(texts).get()), std::move(options));
}

result<embeddings> blocking_client::embed(job_request request, call_options options) {
    return impl_->on_loop->async_embed(std::move(request), std::move(options), asio::use_future).get();
}

result<bulk_report> blocking_client::embed_corpus(row_source& source, row_sink& sink, bulk_options bulk,
                                                  call_options options) {
    return impl_->on_loop->async_embed_corpus(source, sink, std::move(bulk), std::move(options), asio::use_future)
        .get();
}

result<job> blocking_client::submit_job(job_request request, call_options options) {
    return impl_->on_loop->async_submit_job(std::move(request), std::move(options), asio::use_future).get();
}

result<job> blocking_client::get_job(std::string id, call_options options) {
    return impl_->on_loop->async_get_job(std::move(id), std::move(options), asio::use_future).get();
}

result<job> blocking_client::wait_job(std::string id, std::chrono::seconds max_wait, call_options options) {
    return impl_->on_loop->async_wait_job(std::move(id), max_wait, std::move(options), asio::use_future).get();
}

result<job> blocking_client::settle_job(std::string id, call_options options) {
    return impl_->on_loop->async_settle_job(std::move(id), std::move(options), asio::use_future).get();
}

result<job_results> blocking_client::get_job_results(std::string id, call_options options) {
    return impl_->on_loop->async_get_job_results(std::move(id), std::move(options), asio::use_future).get();
}

result<job_output> blocking_client::get_job_output(std::string id, std::uint64_t rows, call_options options) {
    return impl_->on_loop->async_get_job_output(std::move(id), rows, std::move(options), asio::use_future).get();
}

result<receipt> blocking_client::get_receipt(std::string id, call_options options) {
    return impl_->on_loop->async_get_receipt(std::move(id), std::move(options), asio::use_future).get();
}

result<receipt_verification> blocking_client::verify_receipt(std::string id, call_options options) {
    return impl_->on_loop->async_verify_receipt(std::move(id), std::move(options), asio::use_future).get();
}

result<receipt> blocking_client::verify_outputs(job_request request, std::string claimed_output_commitment,
                                                call_options options) {
    return impl_->on_loop
        ->async_verify_outputs(std::move(request), std::move(claimed_output_commitment), std::move(options),
                               asio::use_future)
        .get();
}

result<attestation> blocking_client::verify_outputs(std::string model, input_texts texts,
                                                    const Eigen::Ref<const matrix>& rows, call_options options) {
    return verify_outputs(job_request::for_model(std::move(model), std::move(texts).get()), rows, std::move(options));
}

result<attestation> blocking_client::verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                                    call_options options) {
    return impl_->on_loop->async_verify_outputs(std::move(request), rows, std::move(options), asio::use_future).get();
}

result<std::vector<model_info>> blocking_client::get_models(call_options options) {
    return impl_->on_loop->async_get_models(std::move(options), asio::use_future).get();
}

result<account_info> blocking_client::get_account(call_options options) {
    return impl_->on_loop->async_get_account(std::move(options), asio::use_future).get();
}

result<rotated_key> blocking_client::rotate_key(call_options options) {
    return impl_->on_loop->async_rotate_key(std::move(options), asio::use_future).get();
}

result<void> blocking_client::revoke_key(std::string key_id, call_options options) {
    return impl_->on_loop->async_revoke_key(std::move(key_id), std::move(options), asio::use_future).get();
}

result<health_info> blocking_client::get_health(call_options options) {
    return impl_->on_loop->async_get_health(std::move(options), asio::use_future).get();
}

result<raw_response> blocking_client::raw(http_method method, std::string target, std::string body,
                                          call_options options) {
    return impl_->on_loop->async_raw(method, std::move(target), std::move(body), std::move(options), asio::use_future)
        .get();
}

std::shared_ptr<detail::client_core> detail::core_of(const blocking_client& of) noexcept {
    return core_of(*of.impl_->on_loop);
}

std::string blocking_client::base_url() const {
    return impl_->on_loop->base_url();
}

}  // namespace vembed
