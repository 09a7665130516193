// A user's own compiled TLS of Asio, and Beast.

#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
