#pragma once
/// An executor that runs one thing at a time.

#include <boost/asio/any_io_executor.hpp>

namespace vembed::detail {

namespace asio = boost::asio;

/// `given` if it is a strand, else a new strand on it, because the number of threads that run a context is not known.
[[nodiscard]] asio::any_io_executor serial(asio::any_io_executor given);

}  // namespace vembed::detail
