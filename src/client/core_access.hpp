#pragma once
/// Gives the modules above the core of a client.

#include <memory>

#include <vembed/client/client.hpp>

#include "client/client_core.hpp"

namespace vembed::detail {

/// The core of a client of either kind.
class core_access {
public:
    template <template <class> class Returns>
    static const std::shared_ptr<client_core>& of(const operations<Returns>& client) noexcept {
        return client.core_;
    }
};

}  // namespace vembed::detail
