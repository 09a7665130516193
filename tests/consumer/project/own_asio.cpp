// A user's own compiled Asio, and a use of what BOOST_ASIO_NO_DEPRECATED would take away.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/io_context.hpp>

namespace consumer {

std::size_t run_again(boost::asio::io_context& context) {
    context.reset();  // deprecated: restart()
    return context.run();
}

}  // namespace consumer
