#include <vembed/attest/attest_corpus.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>

#include "attest/attest_call.hpp"
#include "attest/attest_commitment.hpp"
#include "attest/attest_rows.hpp"
#include "attest/attest_source.hpp"

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

asio::awaitable<result<void>> run(std::shared_ptr<attest_call> call) {
    const result<void> fits = check(call->options);
    if (!fits) {
        co_return fits;
    }
    if (call->options.commitment) {
        co_return co_await attest::attest_commitment(call.get());
    }
    co_return co_await attest::attest_rows(call.get());
}

// The call as an operation of the client, which starts it on its executor, cancels it and catches what it throws.
template <class Token>
auto start(const std::shared_ptr<attest_call>& call, Token&& token) {
    detail::operation<void> running([call](std::shared_ptr<detail::client_core>, monotonic_time) { return run(call); });
    running.default_timeout = std::chrono::milliseconds(0);
    return asio::async_initiate<Token, void(result<void>)>(detail::initiate_operation(), token, call->core,
                                                           std::move(running), call_options());
}

asio::awaitable<result<attest_report>> run_beside(std::shared_ptr<attest_call> call) {
    const result<void> done = co_await start(call, asio::use_awaitable);
    if (!done) {
        co_return done.error();
    }
    co_return std::move(call->report);
}

}  // namespace

asio::awaitable<result<attest_report>> attest_corpus(client& on, attest_options options) {
    return run_beside(std::make_shared<attest_call>(detail::core_of(on), std::move(options)));
}

result<attest_report> attest_corpus(blocking_client& on, attest_options options) {
    const auto call = std::make_shared<attest_call>(detail::core_of(on), std::move(options));
    const result<void> done = start(call, asio::use_future).get();
    return done ? result<attest_report>(std::move(call->report)) : done.error();
}

}  // namespace vembed
