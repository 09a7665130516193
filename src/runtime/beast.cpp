// Beast compiled once for the whole library; everyone else sees declarations only.
#include <boost/beast/src.hpp>
