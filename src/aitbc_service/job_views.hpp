#pragma once
/// Jobs and receipts as JSON.

#include <string>

#include <boost/json/object.hpp>

#include "aitbc_service/jobs.hpp"

namespace vembed::aitbc_service {

/// What POST /jobs of the `docs` dialect answers.
boost::json::object accepted_view(const job& of);

/// GET /jobs/{id} of the `docs` dialect.
boost::json::object docs_view(const job& of, monotonic_time as_of, std::uint64_t seed);

/// An entry of a list of the `docs` dialect.
boost::json::object docs_entry(const job& of, monotonic_time as_of);

/// The JobView of the `coordinator` dialect.
boost::json::object coordinator_view(const job& of, monotonic_time as_of, std::uint64_t seed, bool with_payload);

/// A receipt, whose `client` is the key as in the service's older code. The signature is made up.
boost::json::object receipt_view(const job& of, const std::string& key, std::uint64_t seed);

}  // namespace vembed::aitbc_service
