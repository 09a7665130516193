#pragma once
/// The state that all operations of one client share. It is used only on the client's executor.

#include <memory>
#include <string>

#include <vembed/cyberun/client.hpp>

#include "cyberun/io/downloading.hpp"
#include "cyberun/io/endpoints.hpp"
#include "cyberun/io/file_store.hpp"
#include "cyberun/io/task_waiting.hpp"
#include "cyberun/io/uploading.hpp"
#include "operation/host.hpp"

namespace vembed::cyberun::detail {

class client_core : public vembed::detail::operation_host {
public:
    /// Resolves the options' defaults and builds the pipeline of requests.
    static result<std::shared_ptr<client_core>> make(asio::any_io_executor executor, client_options options);

    client_core(asio::any_io_executor on, std::shared_ptr<transport> via, std::shared_ptr<endpoints> calls,
                std::shared_ptr<file_store> files, std::string url, std::uint64_t download_bytes_max);

    const std::shared_ptr<transport> over;
    const std::shared_ptr<endpoints> api;
    const std::shared_ptr<file_store> store;
    const std::shared_ptr<task_waiting> waiting;
    const std::shared_ptr<uploading> uploads;
    const std::shared_ptr<downloading> downloads;
    const std::string base_url;

private:
    void close() noexcept override;
};

/// Gives the modules above the core of a client of either kind.
class core_access {
public:
    template <template <class> class Returns>
    static const std::shared_ptr<client_core>& of(const operations<Returns>& client) noexcept {
        return client.core_;
    }
};

}  // namespace vembed::cyberun::detail
