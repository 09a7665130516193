// Compiles Asio once for the whole library; all other files see declarations only.
#include <boost/asio/impl/src.hpp>
