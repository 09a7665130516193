#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <vembed/core/secret.hpp>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/terminal/interrupts.hpp"
#include "http/origin.hpp"
#include "service_front/front.hpp"

namespace vembed::cli {
namespace {

namespace asio = boost::asio;

error no_such_scheme(std::string_view option, std::string_view name) {
    return error(errc::invalid_argument, std::string(option) + " `" + std::string(name.substr(0, 120)) +
                                             "` is no scheme; `vembed serve --help` lists them");
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

result<testing::service_options> service_options_of(const serve_arguments& arguments) {
    testing::service_options options = arguments.service;
    if (!arguments.faults.empty()) {
        auto faults = testing::fault_rates::parse(arguments.faults);
        if (!faults) {
            return faults.error();
        }
        options.faults = *faults;
    }
    if (auto read = read_proof_options(arguments, options); !read) {
        return read.error();
    }
    if (!arguments.api_key_file.empty()) {
        auto key = secret::from_file(arguments.api_key_file);
        if (!key) {
            return key.error();
        }
        options.api_key = (*key)->reveal();
    }
    return options;
}

}  // namespace

exit_code run_serve(const command_context& context, const serve_arguments& arguments) {
    auto options = service_options_of(arguments);
    if (!options) {
        return give_up(context.out, options.error());
    }
    asio::io_context loop(1);
    const auto service = std::make_shared<testing::service>(std::move(*options));
    service_front::front_options where;
    where.address = arguments.address;
    where.port = arguments.port;
    where.tls_certificate_file = arguments.tls_certificate_file;
    where.tls_key_file = arguments.tls_key_file;
    service_front::front front(loop.get_executor(), make_console_environment(context.out, context.output.level),
                               service, where);
    if (auto started = front.start(); !started) {
        return give_up(context.out, started.error());
    }
    const int own = ::dup(interrupt_fd());
    if (own < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot watch for signals");
    }
    asio::posix::stream_descriptor interrupts(loop, own);
    interrupts.async_wait(asio::posix::stream_descriptor::wait_read,
                          [&front](boost::system::error_code) { front.stop(); });
    boost::json::object ready;
    ready["base_url"] = front.base_url();
    ready["api_key"] = service->api_key();
    context.out.write_data(boost::json::serialize(ready) + "\n");
    if (!context.out.finish()) {
        return exit_code::error;
    }
    if (const auto reached = http::origin::parse(front.base_url()); !reached) {
        context.out.warn(reached.error().message +
                         ". vembed sends no key there: serve with --tls-cert and --tls-key, or at 127.0.0.1 (--address "
                         "0.0.0.0 is every address of this machine, that one too)");
    }
    context.out.say("serving at " + front.base_url() + ", Ctrl-C ends it");
    loop.run();
    return exit_code::done;
}

}  // namespace vembed::cli
