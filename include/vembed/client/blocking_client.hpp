#pragma once
/// @file
/// The client for programs without an event loop: every call blocks until its result is there.

#include <memory>

#include <vembed/client/client.hpp>

namespace vembed {

/// A client with a thread of its own, on which callbacks are called. It has the operations of client.
///
///     vembed::blocking_client client;
///     const auto e = client.embed("bge-large-v1.5", {"hello", "world"});
///
/// Calls may be made from several threads at once. A call is cancelled from another thread through call_options::stop.
/// Must not be used from within its own callbacks (progress, source, sink): the call would wait for itself.
class blocking_client : public operations<result> {
public:
    /// Throws what client::make would return.
    explicit blocking_client(client_options options = {});
    static result<blocking_client> make(client_options options = {});
    blocking_client(blocking_client&&) noexcept;
    blocking_client& operator=(blocking_client&&) noexcept;
    ~blocking_client();

private:
    class impl;
    explicit blocking_client(std::unique_ptr<impl> made) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed
