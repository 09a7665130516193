#pragma once
/// An executor that runs one thing at a time.

#include <boost/asio/any_io_executor.hpp>

namespace vembed::detail {

namespace asio = boost::asio;

/// `given` if it is a strand, else a new strand on it: how many threads run a context cannot be asked.
[[nodiscard]] asio::any_io_executor serial(asio::any_io_executor given);

}  // namespace vembed::detail
