#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <vembed/core/secret.hpp>
#include <vembed/testing/aitbc_service.hpp>
#include <vembed/testing/cyberun_service.hpp>
#include <vembed/testing/service.hpp>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli_parts/interrupts.hpp"
#include "http/origin.hpp"
#include "service_front/front.hpp"

namespace vembed::cli {
namespace {

namespace asio = boost::asio;

error no_such_scheme(std::string_view option, std::string_view name) {
    return error(errc::invalid_argument,
                 fmt::format("{} `{}` is no scheme; `vembed serve --help` lists them", option, name.substr(0, 120)));
}

result<void> read_proof_options(const serve_arguments& arguments, testing::service_options& options) {
    if (!arguments.receipt_scheme.empty()) {
        const auto scheme = receipt_scheme_named(arguments.receipt_scheme);
        if (!scheme) {
            return no_such_scheme("--receipt-scheme", arguments.receipt_scheme);
        }
        options.scheme = *scheme;
    }
    if (!arguments.commitment.empty()) {
        const auto encoding = commitment_encoding_named(arguments.commitment);
        if (!encoding) {
            return no_such_scheme("--commitment", arguments.commitment);
        }
        options.commitment = *encoding;
    }
    for (const std::string& text : arguments.spoil) {
        const auto spoiled = testing::spoiled_jobs::parse(text);
        if (!spoiled) {
            return spoiled.error();
        }
        options.spoiled.push_back(*spoiled);
    }
    return {};
}

// What the options of all three services have in common.
template <class Options, class Faults>
result<void> complete(Options& options, const serve_arguments& arguments, result<Faults> faults) {
    if (!faults) {
        return faults.error();
    }
    options.faults = *faults;
    options.seed = arguments.seed;
    if (!arguments.api_key_file.empty()) {
        const bool of_cyberian = arguments.api == served_api::cyberian;
        auto key = secret::from_file(arguments.api_key_file, of_cyberian ? secret::cyberian_prefix : "");
        if (!key) {
            return key.error();
        }
        options.api_key = (*key)->reveal();
    }
    return {};
}

// A service, and what is behind it.
class served {
public:
    std::shared_ptr<testing::local_service> service;
    std::shared_ptr<testing::cyberun_service> cyberun;  ///< The same, if it has a store.
    std::string api_key;
    std::string path;  ///< Of the base URL.

    served() = default;
};

result<served> cyberian_service(const serve_arguments& arguments) {
    testing::service_options options = arguments.service;
    if (auto done = complete(options, arguments, testing::fault_rates::parse(arguments.faults)); !done) {
        return done.error();
    }
    if (auto read = read_proof_options(arguments, options); !read) {
        return read.error();
    }
    const auto made = std::make_shared<testing::service>(std::move(options));
    served out;
    out.service = made;
    out.api_key = made->api_key();
    return out;
}

result<served> cyberun_service(const serve_arguments& arguments) {
    testing::cyberun_options options = arguments.cyberun;
    if (auto done = complete(options, arguments, testing::cyberun_faults::parse(arguments.faults)); !done) {
        return done.error();
    }
    served out;
    out.cyberun = std::make_shared<testing::cyberun_service>(std::move(options));
    out.service = out.cyberun;
    out.api_key = out.cyberun->api_key();
    out.path = "/api/v1";
    return out;
}

result<served> aitbc_service(const serve_arguments& arguments) {
    testing::aitbc_options options = arguments.aitbc;
    if (auto done = complete(options, arguments, testing::aitbc_faults::parse(arguments.faults)); !done) {
        return done.error();
    }
    const auto made = std::make_shared<testing::aitbc_service>(std::move(options));
    served out;
    out.service = made;
    out.api_key = made->api_key();
    out.path = "/v1";
    return out;
}

result<served> service_of(const serve_arguments& arguments) {
    switch (arguments.api) {
        case served_api::cyberian: return cyberian_service(arguments);
        case served_api::cyberun: return cyberun_service(arguments);
        case served_api::aitbc: return aitbc_service(arguments);
    }
    return error(errc::invalid_argument, "there is no such service");
}

service_front::front_options place_of(const serve_arguments& arguments, std::uint16_t port) {
    service_front::front_options where;
    where.address = arguments.address;
    where.port = port;
    where.tls_certificate_file = arguments.tls_certificate_file;
    where.tls_key_file = arguments.tls_key_file;
    return where;
}

}  // namespace

exit_code run_serve(const command_context& context, const serve_arguments& arguments) {
    const auto made = service_of(arguments);
    if (!made) {
        return give_up(context.out, made.error());
    }
    asio::io_context loop(1);
    const std::shared_ptr<environment> env = make_console_environment(context.out, context.output.level);
    service_front::front front(loop.get_executor(), env, made->service, place_of(arguments, arguments.port));
    if (auto started = front.start(); !started) {
        return give_up(context.out, started.error());
    }
    std::optional<service_front::front> store;
    if (made->cyberun) {
        store.emplace(loop.get_executor(), env, made->cyberun->store(), place_of(arguments, arguments.store_port));
        if (auto started = store->start(); !started) {
            return give_up(context.out, started.error());
        }
        made->cyberun->set_store_url(store->base_url());
    }
    const int own = ::dup(interrupt_fd());
    if (own < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot watch for signals");
    }
    asio::posix::stream_descriptor interrupts(loop, own);
    interrupts.async_wait(asio::posix::stream_descriptor::wait_read, [&front, &store](boost::system::error_code) {
        front.stop();
        if (store) {
            store->stop();
        }
    });
    boost::json::object ready;
    ready["base_url"] = front.base_url() + made->path;
    ready["api_key"] = made->api_key;
    if (store) {
        ready["store_url"] = store->base_url();
    }
    context.out.write_data(boost::json::serialize(ready) + "\n");
    if (!context.out.finish()) {
        return exit_code::error;
    }
    if (const auto reached = http::origin::parse(front.base_url()); !reached) {
        context.out.warn(
            "{}. vembed sends no key there: serve with --tls-cert and --tls-key, or at 127.0.0.1 (--address 0.0.0.0 is "
            "every address of this machine, that one too)",
            reached.error().message);
    }
    context.out.say("serving at {}, Ctrl-C ends it", front.base_url());
    loop.run();
    return exit_code::done;
}

}  // namespace vembed::cli
