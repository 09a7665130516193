// Compiles Beast once for the whole library; all other files see declarations only.
#include <boost/beast/src.hpp>
