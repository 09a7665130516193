#pragma once
/// @file
/// The client for programs without an event loop: every call blocks until its result is there.

#include <memory>
#include <string>
#include <vector>

#include <vembed/client/client.hpp>

namespace vembed {

class blocking_client;

namespace detail {
std::shared_ptr<client_core> core_of(const blocking_client& of) noexcept;
}  // namespace detail

/// A client with a thread of its own. Calls may be made from several threads at once. A call is cancelled from another
/// thread through call_options::stop. In a child of the process that made it (fork) every call is invalid_argument at
/// once. Must not be used from within its own callbacks (progress, source, sink): the call would wait for itself.
class blocking_client {
public:
    /// Throws what client::make would return.
    explicit blocking_client(client_options options = {});
    static result<blocking_client> make(client_options options = {});
    blocking_client(blocking_client&&) noexcept;
    blocking_client& operator=(blocking_client&&) noexcept;
    ~blocking_client();

    // These work like the operations of client of the same names.
    result<embeddings> embed(std::string model, input_texts texts, call_options options = {});
    result<embeddings> embed(job_request request, call_options options = {});
    result<bulk_report> embed_corpus(row_source& source, row_sink& sink, bulk_options bulk, call_options options = {});
    result<job> submit_job(job_request request, call_options options = {});
    result<job> get_job(std::string id, call_options options = {});
    result<job> wait_job(std::string id, std::chrono::seconds max_wait, call_options options = {});
    result<job> settle_job(std::string id, call_options options = {});
    result<job_results> get_job_results(std::string id, call_options options = {});
    result<job_output> get_job_output(std::string id, std::uint64_t rows, call_options options = {});
    result<receipt> get_receipt(std::string id, call_options options = {});
    result<receipt_verification> verify_receipt(std::string id, call_options options = {});
    result<receipt> verify_outputs(job_request request, std::string claimed_output_commitment,
                                   call_options options = {});
    result<attestation> verify_outputs(std::string model, input_texts texts, const Eigen::Ref<const matrix>& rows,
                                       call_options options = {});
    result<attestation> verify_outputs(job_request request, const Eigen::Ref<const matrix>& rows,
                                       call_options options = {});
    result<std::vector<model_info>> get_models(call_options options = {});
    result<account_info> get_account(call_options options = {});
    result<rotated_key> rotate_key(call_options options = {});
    result<void> revoke_key(std::string key_id, call_options options = {});
    result<health_info> get_health(call_options options = {});
    result<raw_response> raw(http_method method, std::string target, std::string body = {}, call_options options = {});

    [[nodiscard]] std::string base_url() const;

private:
    friend std::shared_ptr<detail::client_core> detail::core_of(const blocking_client& of) noexcept;
    class impl;
    explicit blocking_client(std::unique_ptr<impl> made) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed
