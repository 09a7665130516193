#pragma once
/// @file
/// result<T>: a value or an error. `if (!r) use(r.error()); else use(*r);` or `r.value()`, which throws the typed
/// exception.

#include <boost/system/result.hpp>

#include <vembed/core/error.hpp>

namespace vembed {

/// boost::system::result with vembed::error as its error, which no caller may drop unread.
template <class T>
class [[nodiscard]] result : public boost::system::result<T, error> {
public:
    using boost::system::result<T, error>::result;
};

}  // namespace vembed
