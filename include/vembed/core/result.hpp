#pragma once
/// result<T>: a value or a failure. `if (!r) use(r.error()); else use(*r);` or `r.value()`, which throws the typed
/// error.

#include <boost/system/result.hpp>

#include <vembed/core/failure.hpp>

namespace vembed {

template <class T>
using result = boost::system::result<T, failure>;

}  // namespace vembed
