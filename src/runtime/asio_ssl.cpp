// Asio's TLS compiled once for the whole library; everyone else sees declarations only.
#include <boost/asio/ssl/impl/src.hpp>
