#include <vembed/client/blocking_client.hpp>

#include <memory>
#include <utility>

#include "connection/client_thread.hpp"

namespace vembed {

class blocking_client::impl : public detail::client_thread<client> {};

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
    detail::end_thread(std::move(impl_));
}

result<blocking_client> blocking_client::make(client_options options) {
    auto made = detail::start_thread<client, impl>(std::move(options));
    if (!made) {
        return made.error();
    }
    return blocking_client(std::move(*made));
}

}  // namespace vembed
