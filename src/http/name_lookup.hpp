#pragma once
/// Looking up a host's addresses without being held up by it.

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

/// What the system's resolver answered.
class lookup_answer {
public:
    boost::system::error_code error;
    std::vector<asio::ip::tcp::endpoint> endpoints;

    lookup_answer() = default;
};

/// One lookup under way. The system's resolver can be neither hurried nor cancelled, and may take half a minute where
/// no name server answers; so each lookup has a thread of its own that nobody waits for: not who asked, nor the end of
/// the event loop or of the program. The thread touches nothing but this object.
class name_lookup {
public:
    /// Begins one. An error where there can be no thread is its answer.
    static std::shared_ptr<name_lookup> begin(std::string host, std::string port);

    /// The same with another resolver, which may block and must not throw.
    static std::shared_ptr<name_lookup> begin(std::function<lookup_answer()> resolver);

    [[nodiscard]] bool finished() const;

    /// Empty endpoints and no error before it has finished.
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

/// Wants to be told on an executor once a lookup has finished, for as long as this lives.
class lookup_watch {
public:
    /// `tell` owns what it touches: it may still run after this has ended.
    lookup_watch(std::shared_ptr<name_lookup> what, asio::any_io_executor on, std::function<void()> tell);
    lookup_watch(const lookup_watch&) = delete;
    lookup_watch& operator=(const lookup_watch&) = delete;
    ~lookup_watch();

private:
    std::shared_ptr<name_lookup> what_;
};

}  // namespace vembed::http
