#pragma once
/// Downloads the files of tasks: carries out the download_plan over the stores that the links lead to.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "cyberun/io/endpoints.hpp"
#include "cyberun/io/file_store.hpp"

namespace vembed::cyberun {

class downloading {
public:
    downloading(std::shared_ptr<endpoints> api, std::shared_ptr<file_store> store, std::uint64_t bytes_max)
        : api_(std::move(api)), store_(std::move(store)), bytes_max_(bytes_max) {}

    /// See client::download().
    asio::awaitable<result<std::vector<saved_file>>> download(std::string id, std::string folder, download_options what,
                                                              monotonic_time deadline);

private:
    class one_file;
    class one_exchange;

    asio::awaitable<result<saved_file>> fetch(one_file* of);
    asio::awaitable<void> request_once(one_file* of, one_exchange* into);
    asio::awaitable<result<void>> refresh(one_file* of);
    asio::awaitable<result<saved_file>> keep(one_file* of);

    std::shared_ptr<endpoints> api_;
    std::shared_ptr<file_store> store_;
    std::uint64_t bytes_max_;
};

}  // namespace vembed::cyberun
