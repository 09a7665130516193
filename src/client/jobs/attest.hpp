#pragma once
/// Attests the caller's own outputs: makes the claim, submits it and checks the receipt.

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include <vembed/client/attestation.hpp>
#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

#include "client/client_core.hpp"

namespace vembed::detail {

/// The commitment to rows that could be the service's output for the request's inputs. Pure. Returns invalid_argument
/// if there are no inputs, another number of rows, rows without columns, or a number that is not finite (the error
/// names its row).
result<std::string> claim_of(const job_request& request, const Eigen::Ref<const matrix>& rows);

/// Submits a claim after the account's limits are known.
asio::awaitable<result<receipt>> submit_claim(std::shared_ptr<client_core> core,
                                              std::shared_ptr<const job_request> request, std::string commitment,
                                              monotonic_time deadline);

/// Submits the claim if there is one and checks the receipt; verification_failed if a check fails.
asio::awaitable<result<attestation>> attest(std::shared_ptr<client_core> core,
                                            std::shared_ptr<const job_request> request, result<std::string> claim,
                                            monotonic_time deadline);

/// The error for a report with a failed check. Pure.
error failed_attestation(const attestation& made);

}  // namespace vembed::detail
