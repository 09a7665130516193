#pragma once
/// The state that all operations of one client share. It is used only on the client's executor.

#include <memory>
#include <string>
#include <utility>

#include <vembed/aitbc/client.hpp>

#include "aitbc/io/endpoints.hpp"
#include "aitbc/io/job_waiting.hpp"
#include "aitbc/io/submitting.hpp"
#include "operation/host.hpp"

namespace vembed::aitbc::detail {

class client_core : public vembed::detail::operation_host {
public:
    /// Resolves the options' defaults and builds the pipeline of requests.
    static result<std::shared_ptr<client_core>> make(asio::any_io_executor executor, client_options options);

    client_core(asio::any_io_executor on, std::shared_ptr<transport> via, std::shared_ptr<endpoints> calls,
                std::string url, std::string quota_folder);

    const std::shared_ptr<transport> over;
    const std::shared_ptr<endpoints> api;
    const std::shared_ptr<submitting> submissions;
    const std::shared_ptr<job_waiting> waiting;
    const std::string base_url;

    /// Counts calls together with other processes before the first call, if a quota folder is used; then does `next`.
    template <class T>
    asio::awaitable<result<T>> after_sharing(asio::awaitable<result<T>> next, monotonic_time deadline) {
        const result<void> shared = co_await share_calls(deadline);
        if (!shared) {
            co_return shared.error();
        }
        co_return co_await std::move(next);
    }

private:
    void close() noexcept override { over->close(); }
    asio::awaitable<result<void>> share_calls(monotonic_time deadline);

    std::string quota_folder_;
    bool shared_ = false;
};

/// Gives the modules above the core of a client of either kind.
class core_access {
public:
    template <template <class> class Returns>
    static const std::shared_ptr<client_core>& of(const operations<Returns>& client) noexcept {
        return client.core_;
    }
};

}  // namespace vembed::aitbc::detail
