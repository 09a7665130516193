#pragma once
/// Looks up a host's addresses without blocking the caller.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace vembed::http {

namespace asio = boost::asio;

/// The answer of the system's resolver.
class lookup_answer {
public:
    boost::system::error_code error;
    std::vector<asio::ip::tcp::endpoint> endpoints;

    lookup_answer() = default;
};

/// One running lookup. The system's resolver cannot be cancelled and may take half a minute if no name server answers.
/// So each lookup has its own thread, and nobody waits for it: neither the caller nor the end of the event loop or of
/// the program. The thread uses nothing but this object.
class name_lookup {
public:
    /// Begins a lookup. If no thread can be started, that error is its answer.
    static std::shared_ptr<name_lookup> begin(std::string host, std::string port);

    /// Begins a lookup with another resolver, which may block and must not throw.
    static std::shared_ptr<name_lookup> begin(std::function<lookup_answer()> resolver);

    [[nodiscard]] bool finished() const;

    /// Before the lookup has finished, the answer has no endpoints and no error.
    [[nodiscard]] lookup_answer answer() const;

private:
    friend class lookup_watch;

    name_lookup() = default;
    void finish(lookup_answer found);

    mutable std::mutex mutex_;
    bool finished_ = false;
    lookup_answer answer_;
    std::vector<std::pair<const void*, std::function<void()>>> watchers_;
};

/// While this lives, it calls a function on an executor when a lookup has finished.
class lookup_watch {
public:
    /// `tell` must own what it uses: it may still run after this has ended.
    lookup_watch(std::shared_ptr<name_lookup> what, asio::any_io_executor on, std::function<void()> tell);
    lookup_watch(const lookup_watch&) = delete;
    lookup_watch& operator=(const lookup_watch&) = delete;
    ~lookup_watch();

private:
    std::shared_ptr<name_lookup> what_;
};

}  // namespace vembed::http
