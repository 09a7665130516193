// Asio compiled once for the whole library; everyone else sees declarations only.
#include <boost/asio/impl/src.hpp>
