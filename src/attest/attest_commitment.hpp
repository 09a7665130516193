#pragma once
/// attest_corpus() for rows of which only the commitment is at hand: one request about all texts.

#include "attest/attest_call.hpp"

namespace vembed::attest {

/// Carries out the call, whose options have a commitment. `call` must outlive it. Errors after the texts were read are
/// in the report.
asio::awaitable<result<void>> attest_commitment(attest_call* call);

}  // namespace vembed::attest
