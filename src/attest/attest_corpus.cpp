#include <vembed/attest/attest_corpus.hpp>

#include <boost/asio/use_future.hpp>

#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>

#include "attest/attest_call.hpp"
#include "attest/attest_commitment.hpp"
#include "attest/attest_rows.hpp"
#include "attest/attest_source.hpp"
#include "client/core_access.hpp"
#include "operation/launch.hpp"

namespace vembed {
namespace {

using attest::attest_call;

result<void> check(const attest_options& options) {
    if (options.npy_file.empty() != options.commitment.has_value()) {
        return error(errc::invalid_argument, "give exactly one of the file of the rows and their commitment");
    }
    if (options.model.empty() == options.spec_yaml.empty()) {
        return error(errc::invalid_argument, "give exactly one of a model and a specification");
    }
    if (options.output_file.empty()) {
        return error(errc::invalid_argument, "name the output file, which the next call goes on from");
    }
    if (options.rows_per_chunk > attest::request_rows_max) {
        return error(errc::invalid_argument, "a chunk has at most " + std::to_string(attest::request_rows_max) +
                                                 " rows, not " + std::to_string(options.rows_per_chunk));
    }
    if (options.requests_in_flight > attest_options::requests_in_flight_max) {
        return error(errc::invalid_argument, "at most " + std::to_string(attest_options::requests_in_flight_max) +
                                                 " requests can be under way at once, not " +
                                                 std::to_string(options.requests_in_flight));
    }
    return {};
}

asio::awaitable<result<attest_report>> run(std::shared_ptr<attest_call> call) {
    if (const result<void> fits = check(call->options); !fits) {
        co_return fits.error();
    }
    asio::awaitable<result<void>> attesting =
        call->options.commitment ? attest::attest_commitment(call.get()) : attest::attest_rows(call.get());
    if (const result<void> done = co_await std::move(attesting); !done) {
        co_return done.error();
    }
    co_return std::move(call->report);
}

operation<attest_report> describe(std::shared_ptr<detail::client_core> core, attest_options options) {
    const auto call = std::make_shared<attest_call>(core, std::move(options));
    auto body = [call](std::shared_ptr<detail::client_core>, monotonic_time) { return run(call); };
    return detail::describe(std::move(core), detail::within(detail::no_timeout, {}), std::move(body));
}

}  // namespace

operation<attest_report> attest_corpus(client& on, attest_options options) {
    return describe(detail::core_access::of(on), std::move(options));
}

result<attest_report> attest_corpus(blocking_client& on, attest_options options) {
    return describe(detail::core_access::of(on), std::move(options)).start(asio::use_future).get();
}

}  // namespace vembed
