#pragma once
/// Counts an account's use together with all other clients and processes of this machine.

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

#include "admission/gate.hpp"

namespace vembed::detail {

namespace asio = boost::asio;

/// The path of the account's ledger in `quota_folder`, without an ending: see admission::shared_ledger. `account` may
/// be empty if a service's limits do not depend on it.
std::string quota_place(const std::string& quota_folder, const std::string& base_url, const std::string& account);

/// Lets `gate` use the ledger at `path` from now on. If it cannot be used, that is logged (shared_quota_unavailable)
/// and the gate counts for itself. Errors: timeout, cancelled; the ledger may then be tried again.
asio::awaitable<result<void>> share_quota(std::shared_ptr<admission::gate> gate, std::shared_ptr<environment> env,
                                          std::string path, monotonic_time deadline);

/// The error of a wait for the disk that did not end by itself.
error not_waited_for(wait_outcome outcome, const std::string& what);

}  // namespace vembed::detail
