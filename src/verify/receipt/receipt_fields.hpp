#pragma once
/// Reads a receipt's documented fields without trusting them.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>

namespace vembed::verify {

class receipt_fields {
public:
    std::string receipt_id;
    std::string job_id;
    std::string spec_hash;
    std::string inputs_root;
    std::string outputs_root;
    std::string verification_attestation;  // Empty if absent: the older service has none.
    std::string receipt_hash;

    receipt_fields() = default;
};

/// Checks that all readers take the text for the same receipt. errc::protocol, with the reason, if it is too long, not
/// JSON, not an object, or has a documented field twice. Fields that are not documented may hold any JSON.
result<void> check_receipt_text(std::string_view receipt_text);

/// Reads the documented fields. errc::protocol if check_receipt_text() fails, or if a field is missing, not a text, or
/// has control characters in it. An attestation that is not a text counts as missing.
result<receipt_fields> read_receipt_fields(std::string_view receipt_text);

/// Reads the documented fields of a receipt that was parsed by other rules: errc::protocol if a field is missing or not
/// a text.
result<receipt_fields> documented_fields(const boost::json::object& receipt);

/// Formats text from outside for a message: printable ASCII, at most 80 characters, in quotation marks.
std::string quoted(std::string_view text);

}  // namespace vembed::verify
