#pragma once
/// A receipt's documented fields, read without trusting them.

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
    std::string verification_attestation;  // Empty where absent: the older service has none.
    std::string receipt_hash;

    receipt_fields() = default;
};

/// Whether all readers take the text for the same receipt. errc::protocol, saying what is wrong: too long, not JSON,
/// not an object, a documented field twice. Fields that are not documented may hold any JSON.
result<void> check_receipt_text(std::string_view receipt_text);

/// Reads them. errc::protocol where that is wrong, where a field is missing or not a text, where one has control
/// characters in it. An attestation that is not a text is none.
result<receipt_fields> read_receipt_fields(std::string_view receipt_text);

/// The same of a receipt that was parsed by other rules: errc::protocol where a field is missing or not a text.
result<receipt_fields> documented_fields(const boost::json::object& receipt);

/// Text from outside for a message: printable ASCII, at most 80 characters, in quotation marks.
std::string quoted(std::string_view text);

}  // namespace vembed::verify
