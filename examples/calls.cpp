// One call in four forms, with a time limit and with Ctrl-C as its cancellation.
//
//   usage: example_calls blocking|future|callback|coroutine TIMEOUT_MS TEXT...
//
// Exit status: 0 done, 1 failed, 2 usage, 3 the call may have been charged, 75 try again later, 130 cancelled.

#include <chrono>
#include <csignal>
#include <exception>
#include <future>
#include <iostream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <vembed/vembed.hpp>

namespace asio = boost::asio;
using outcome = vembed::result<vembed::embeddings>;
using texts = std::vector<std::string>;

const std::string model = "bge-large-v1.5";

// A coroutine: it resumes on its own executor. What it needs later it takes by value.
asio::awaitable<outcome> in_coroutine(vembed::client& client, texts inputs, vembed::call_options call) {
    outcome got = co_await client.embed(model, std::move(inputs), std::move(call));
    co_return got;
}

// A callback: it is called once, on the client's executor unless it has one of its own.
outcome by_callback(vembed::client& client, texts inputs, vembed::call_options call) {
    std::promise<outcome> arrived;
    std::future<outcome> pending = arrived.get_future();
    client.embed(model, std::move(inputs), std::move(call)).start([arrived = std::move(arrived)](outcome got) mutable {
        arrived.set_value(std::move(got));
    });
    return pending.get();
}

outcome embed(const std::string& form, texts inputs, vembed::call_options call, asio::thread_pool& loop) {
    if (form == "blocking") {
        vembed::blocking_client client;  // it has a thread of its own
        return client.embed(model, std::move(inputs), std::move(call));
    }
    vembed::client client(loop.get_executor());
    if (form == "callback") {
        return by_callback(client, std::move(inputs), std::move(call));
    }
    if (form == "coroutine") {
        return asio::co_spawn(loop, in_coroutine(client, std::move(inputs), std::move(call)), asio::use_future).get();
    }
    return client.embed(model, std::move(inputs), std::move(call)).start(asio::use_future).get();
}

int exit_status(const vembed::error& error) {
    switch (error.kind) {  // never the message's text
        case vembed::errc::cancelled: return 130;
        case vembed::errc::outcome_unknown: return 3;  // sent, and the response was lost
        case vembed::errc::timeout:
        case vembed::errc::rate_limited:
        case vembed::errc::service_busy:
        case vembed::errc::network: return 75;
        default: return 1;
    }
}

int main(int argc, char** argv) {
    const std::string form = argc > 3 ? argv[1] : "";
    if (form != "blocking" && form != "future" && form != "callback" && form != "coroutine") {
        std::cerr << "usage: " << argv[0] << " blocking|future|callback|coroutine TIMEOUT_MS TEXT...\n";
        return 2;
    }
    try {
        std::stop_source stop;
        asio::thread_pool loop(1);
        asio::signal_set signals(loop, SIGINT);
        signals.async_wait([&stop](const boost::system::error_code&, int) { stop.request_stop(); });
        vembed::call_options call;
        call.timeout = std::chrono::milliseconds(std::stoul(argv[2]));  // throttle, retries and polls included
        call.stop = stop.get_token();
        std::cerr << "embedding\n";
        const outcome got = embed(form, texts(argv + 3, argv + argc), std::move(call), loop);
        if (!got) {
            std::cerr << got.error() << '\n';
            return exit_status(got.error());
        }
        std::cout << got->rows.rows() << " x " << got->rows.cols() << '\n';
        return 0;
    } catch (const std::exception& error) {  // an unusable key or base URL, or TIMEOUT_MS is no number
        std::cerr << error.what() << '\n';
        return 1;
    }
}
