// Compiles Asio's TLS once for the whole library; all other files see declarations only.
#include <boost/asio/ssl/impl/src.hpp>
