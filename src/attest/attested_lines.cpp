#include "attest/attested_lines.hpp"

#include <algorithm>
#include <utility>

#include "cyberian/wire/codec.hpp"
#include "folder/read/receipts_file.hpp"
#include "text/json/json_fields.hpp"
#include "text/text_format.hpp"

namespace vembed::attest {
namespace {

// The receipt as the service sent it; empty if the line has none.
std::string_view receipt_text_of(std::string_view line) {
    const std::string_view text = folder::member_text(line, "receipt").value_or(std::string_view());
    return text == "null" ? std::string_view() : text;
}

std::string objection_to_ids(const boost::json::object& line, const receipt& got) {
    for (const auto& [name, id] : {std::pair("receipt_id", &got.receipt_id), std::pair("job_id", &got.job_id)}) {
        if (text::text_of(line, name) != *id) {
            return "its receipt has another " + std::string(name) + ", " + text::printable(*id);
        }
    }
    return {};
}

// Each check that was verified when the line was written must be verified still.
std::string objection_to_checks(const boost::json::object& noted, const claim_evidence& claim,
                                const offline_report& report) {
    for (const auto& [name, was] : noted) {
        if (!was.is_object() || text::text_of(was.get_object(), "verdict") != to_string(check_verdict::verified)) {
            return "its check " + text::printable(std::string(name)) + " was not verified";
        }
        const bool texts_missing = name == to_string(pin_kind::inputs_root) && !claim.inputs;
        const offline_check* const now = report.find(std::string_view(name.data(), name.size()));
        if (now == nullptr || (now->verdict != check_verdict::verified && !texts_missing)) {
            return "its receipt does not show " + text::printable(std::string(name)) + " any more" +
                   (now == nullptr ? "" : ": " + text::printable(now->reason));
        }
    }
    return {};
}

}  // namespace

std::string objection_to_attested(std::string_view line, const claim_evidence& claim, const offline_report& report) {
    const std::string_view text = receipt_text_of(line);
    if (text.empty()) {
        return "it has no receipt";
    }
    const auto got = cyberian::read_response<receipt>(text);
    const auto object = outcome_object(line);
    if (!got || !object) {
        return got ? "it is not JSON" : "its receipt cannot be read: " + text::printable(got.error().message);
    }
    if (auto objection = objection_to_ids(*object, *got); !objection.empty()) {
        return objection;
    }
    if (const offline_check* const bad = report.first_failed()) {
        return "its receipt fails the check " + bad->name + ": " + text::printable(bad->reason);
    }
    const auto* const noted = object->if_contains("checks");
    if (noted == nullptr || !noted->is_object()) {
        return "it does not say what of its receipt was checked";
    }
    return objection_to_checks(noted->get_object(), claim, report);
}

attested_lines::attested_lines(const attest_record_file& file, account_pins pins,
                               std::optional<std::uint64_t> spec_chunk_size)
    : file_(&file), pins_(std::move(pins)), spec_chunk_size_(spec_chunk_size) {}

result<void> attested_lines::hold(const recorded_claim& record, const std::vector<std::string>* texts) {
    const auto line = file_->read_again(record);
    if (!line) {
        return line.error();
    }
    claim_evidence claim;
    claim.rows = record.claim.end - record.claim.first;
    claim.commitment = record.claim.commitment;
    claim.one_chunk = claim.rows <= std::max<std::uint64_t>(spec_chunk_size_.value_or(chunk_size_), 1);
    if (texts != nullptr) {
        claim.inputs.emplace(texts->begin(), texts->end());
    }
    const offline_report report = verify_claim_offline(receipt_text_of(*line), claim, pins_);
    if (const std::string objection = objection_to_attested(*line, claim, report); !objection.empty()) {
        return error(errc::verification_failed,
                     file_->path() + ":" + std::to_string(record.line) + ": the line says that rows " +
                         std::to_string(record.claim.first) + " to " + std::to_string(record.claim.end - 1) +
                         " are attested, but " + objection +
                         ". Nothing is bought for them: put the line back as it was, or take it out to have these "
                         "rows verified (and charged) again");
    }
    pins_ = report.pins;
    if (report.find(to_string(pin_kind::outputs_root))->verdict == check_verdict::verified) {
        chunk_size_ = std::max(chunk_size_, claim.rows);  // The root is over one commitment: the rows were one chunk.
    }
    return {};
}

}  // namespace vembed::attest
