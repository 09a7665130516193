#pragma once
/// Verification of the caller's own outputs: what is claimed, submitted, and checked of the reply.

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include <vembed/client/attestation.hpp>
#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

#include "client/client_core.hpp"

namespace vembed::detail {

/// The commitment to rows that could be what the service computes of the request's inputs. Pure: invalid_argument for
/// no inputs, another number of rows, rows without columns or a number that is not finite (named by its row).
result<std::string> claim_of(const job_request& request, const Eigen::Ref<const matrix>& rows);

/// Submits a claim, once the account's limits are known.
asio::awaitable<result<receipt>> submit_claim(std::shared_ptr<client_core> core,
                                              std::shared_ptr<const job_request> request, std::string commitment,
                                              monotonic_time deadline);

/// Submits the claim where there is one and checks the receipt; verification_failed where a check fails.
asio::awaitable<result<attestation>> attest(std::shared_ptr<client_core> core,
                                            std::shared_ptr<const job_request> request, result<std::string> claim,
                                            monotonic_time deadline);

/// Pure: the failure that a report with a failed check is.
failure failed_attestation(const attestation& made);

}  // namespace vembed::detail
