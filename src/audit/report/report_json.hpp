#pragma once
/// Reports of this module as JSON objects: what --json prints. Pure.

#include <boost/json/object.hpp>

#include <vembed/audit/check_receipt.hpp>
#include <vembed/audit/check_tally.hpp>
#include <vembed/audit/verify_folder.hpp>
#include <vembed/verify/row_proof.hpp>

namespace vembed::audit {

boost::json::object json_of(const check_tally& check);
/// All but the checks.
boost::json::object json_of(const folder_report& report);
/// What the proof is about, without its bytes and paths.
boost::json::object json_of(const row_proof& proof);
boost::json::object json_of(const row_proof_report& report);
boost::json::object json_of(const receipt_report& report);
/// The documented fields of a receipt.
boost::json::object json_of(const receipt& of);

}  // namespace vembed::audit
