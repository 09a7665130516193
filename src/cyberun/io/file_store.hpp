#pragma once
/// Carries requests to the stores of files, which are other origins than the service's: none of them gets the key, and
/// a transfer lasts as long as bytes move.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/transport/transport.hpp>

#include "connection/connection.hpp"
#include "cyberun/download/next_hop.hpp"

namespace vembed::cyberun {

/// One request to a store. What it points to must outlive it.
class file_exchange {
public:
    std::shared_ptr<transport> over;
    std::shared_ptr<const transport_request> request;
    response_sink* sink = nullptr;
    const std::uint64_t* moved = nullptr;  ///< Grows while bytes move.
    monotonic_time deadline = no_deadline;

    file_exchange() = default;
};

class file_store {
public:
    file_store(vembed::detail::resolved_connection by, hop_rules rules);

    [[nodiscard]] const hop_rules& rules() const noexcept { return rules_; }
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return by_.executor; }
    [[nodiscard]] const std::shared_ptr<environment>& env() const noexcept { return by_.env; }

    /// The transport to the URL's origin. The errors are those of make_transport().
    result<std::shared_ptr<transport>> reach(const download_url& at);

    /// Sends the request once. It ends with network if no byte moves for the time that one try of a request may take,
    /// and as any exchange otherwise.
    asio::awaitable<exchange_outcome> exchange(file_exchange what);

    void close() noexcept;

private:
    vembed::detail::resolved_connection by_;  ///< Without the key.
    hop_rules rules_;
    std::map<std::string, std::shared_ptr<transport>> reached_;
    bool closed_ = false;
};

}  // namespace vembed::cyberun
