// Sends any request through the client's key, throttle and retries, in the three ways that every operation has.
//
//   usage: example_raw_endpoint [future|callback|coroutine] [TARGET]
//
// TARGET is what follows the base URL, already encoded; GET /models if none is given. CYBERIAN_BASE_URL and
// CYBERIAN_API_KEY say which service and whose account.

#include <chrono>
#include <exception>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <vembed/vembed.hpp>

namespace {

namespace asio = boost::asio;
using response = vembed::result<vembed::raw_response>;

vembed::call_options within_ten_seconds() {
    vembed::call_options call;
    call.timeout = std::chrono::seconds(10);
    return call;
}

/// An event loop on a thread of its own. Ends when everything started on it has: destroy clients before it.
class loop_thread {
public:
    loop_thread() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
    loop_thread(const loop_thread&) = delete;
    loop_thread& operator=(const loop_thread&) = delete;
    ~loop_thread() {
        work_.reset();
        thread_.join();
    }

    asio::any_io_executor executor() { return loop_.get_executor(); }

private:
    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

// use_future: for a thread that may block. get() gives the result; only value() would throw.
response by_future(vembed::client& client, const std::string& target) {
    std::future<response> pending =
        client.raw(vembed::http_method::get, target, {}, within_ten_seconds()).start(asio::use_future);
    return pending.get();
}

// A callback: called once, on the client's loop unless it has an executor of its own.
response by_callback(vembed::client& client, const std::string& target) {
    std::promise<response> arrived;
    std::future<response> pending = arrived.get_future();
    client.raw(vembed::http_method::get, target, {}, within_ten_seconds())
        .start([arrived = std::move(arrived)](response got) mutable { arrived.set_value(std::move(got)); });
    return pending.get();
}

// A coroutine: it resumes on its own executor, here the loop again.
asio::awaitable<response> in_coroutine(vembed::client& client, std::string target) {
    vembed::call_options call = within_ten_seconds();
    response got = co_await client.raw(vembed::http_method::get, std::move(target), std::string(), std::move(call));
    co_return got;
}

response ask(loop_thread& loop, vembed::client& client, const std::string& way, const std::string& target) {
    if (way == "callback") {
        return by_callback(client, target);
    }
    if (way == "coroutine") {
        return asio::co_spawn(loop.executor(), in_coroutine(client, target), asio::use_future).get();
    }
    return by_future(client, target);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string way = argc > 1 ? argv[1] : "future";
    const std::string target = argc > 2 ? argv[2] : "/models";
    if (argc > 3 || (way != "future" && way != "callback" && way != "coroutine")) {
        std::cerr << "usage: " << argv[0] << " [future|callback|coroutine] [TARGET]\n";
        return 2;
    }
    try {
        loop_thread loop;
        vembed::client client(loop.executor());
        const response got = ask(loop, client, way, target);
        if (!got) {
            // A response that is not 2xx is an error too, with the service's own code and the start of the body.
            std::cerr << got.error() << '\n' << got.error().raw_body << '\n';
            return 1;
        }
        std::cerr << got->status << '\n';
        for (const vembed::header_field& field : got->headers) {
            std::cerr << field.name << ": " << field.value << '\n';
        }
        std::cout << got->body << '\n';
        return 0;
    } catch (const std::exception& error) {  // an unusable key or base URL
        std::cerr << error.what() << '\n';
        return 1;
    }
}
