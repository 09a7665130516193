#include <memory>
#include <utility>

#include <vembed/cyberun/client.hpp>

#include "connection/client_thread.hpp"
#include "cyberun/client/client_core.hpp"

namespace vembed::cyberun {

class blocking_client::impl : public vembed::detail::client_thread<client> {};

blocking_client::blocking_client(client_options options) : blocking_client(make(std::move(options)).value()) {}

blocking_client::blocking_client(std::unique_ptr<impl> made) noexcept
    : operations(made->on_loop->core_), impl_(std::move(made)) {}

blocking_client::blocking_client(blocking_client&&) noexcept = default;

blocking_client& blocking_client::operator=(blocking_client&& other) noexcept {
    blocking_client taken(std::move(other));  // Its destructor ends the client that this object held.
    std::swap(core_, taken.core_);
    std::swap(impl_, taken.impl_);
    return *this;
}

blocking_client::~blocking_client() {
    core_.reset();  // The client's thread is the last owner.
    vembed::detail::end_thread(std::move(impl_));
}

result<blocking_client> blocking_client::make(client_options options) {
    auto made = vembed::detail::start_thread<client, impl>(std::move(options));
    if (!made) {
        return made.error();
    }
    return blocking_client(std::move(*made));
}

}  // namespace vembed::cyberun
