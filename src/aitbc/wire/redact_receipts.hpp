#pragma once
/// Masks what a receipt says of its client. In older services that is the API key itself (wire contract, section 3,
/// "Receipts"), so it must not be stored, logged or shown. A receipt that is masked no longer verifies.

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace vembed::aitbc {

enum class redaction_scope : std::uint8_t {
    receipts_inside,  ///< Only objects that look like a receipt: they have `client` beside a receipt's own members.
    all,              ///< The JSON is a receipt or a list of receipts.
};

/// Replaces every `client` of a receipt in `json`, at any depth, and each further place in which the same text stands.
void redact_receipts(boost::json::value& json, redaction_scope scope);

/// The start of a body for a report of an error; empty if the body may hold a receipt's client.
std::string reportable_start(std::string_view body);

}  // namespace vembed::aitbc
