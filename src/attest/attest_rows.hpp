#pragma once
/// attest_corpus() for rows that are at hand: many requests, several of them under way at once.

#include "attest/attest_call.hpp"

namespace vembed::attest {

/// Carries out the call, whose options have an npy_file. `call` must outlive it. Errors after the output file was
/// opened are in the report.
asio::awaitable<result<void>> attest_rows(attest_call* call);

}  // namespace vembed::attest
