#include "operation/serial_executor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

namespace vembed::detail {
namespace {

template <class Strand>
bool is(const asio::any_io_executor& given) {
    return given.target<Strand>() != nullptr;
}

}  // namespace

asio::any_io_executor serial(asio::any_io_executor given) {
    const bool already = is<asio::strand<asio::any_io_executor>>(given) ||
                         is<asio::strand<asio::io_context::executor_type>>(given) ||
                         is<asio::strand<asio::thread_pool::executor_type>>(given);
    if (already) {
        return given;
    }
    // A strand on the executor itself fits into an any_io_executor without an allocation; a strand on another
    // any_io_executor does not. Asio tracks work in noexcept functions, so a failed allocation would end the process.
    if (const auto* context = given.target<asio::io_context::executor_type>()) {
        return asio::make_strand(*context);
    }
    if (const auto* pool = given.target<asio::thread_pool::executor_type>()) {
        return asio::make_strand(*pool);
    }
    return asio::make_strand(given);
}

}  // namespace vembed::detail
