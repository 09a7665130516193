#pragma once
/// result<T>: a value or a failure. `if (!r) use(r.error()); else use(*r);` or `r.value()`, which throws the typed
/// error.

#include <boost/system/result.hpp>

#include <vembed/core/failure.hpp>

namespace vembed {

/// boost::system::result with failure as its error, which no caller may drop unread.
template <class T>
class [[nodiscard]] result : public boost::system::result<T, failure> {
public:
    using boost::system::result<T, failure>::result;
};

}  // namespace vembed
