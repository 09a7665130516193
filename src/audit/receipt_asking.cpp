#include "audit/receipt_asking.hpp"

#include <string>
#include <utility>

#include "audit/receipt_comparison.hpp"

namespace vembed::audit {
namespace {

/// Records a response that is not "valid". An error that is not about this receipt is returned: asking about the others
/// would be no use.
result<void> file_refusal(const error& why, check_finding about, check_tally& to) {
    switch (why.kind) {
        case errc::verification_failed:
            about.what += ": " + why.message;
            to.fail(std::move(about));
            return {};
        case errc::not_found:
        case errc::invalid_argument:
            to.leave(about.what + ": " + (why.kind == errc::not_found ? "the service does not have it" : why.message));
            return {};
        default: return why;
    }
}

/// A receipt that the service calls valid proves nothing if the folder has another one under its name.
result<void> ask_about(const receipt_service& service, const receipt& kept, check_tally& to) {
    check_finding found("receipt " + kept.receipt_id + " of job " + kept.job_id);
    found.receipt_id = kept.receipt_id;
    found.job_id = kept.job_id;
    const auto served = service.get_receipt(kept.receipt_id);
    if (!served) {
        return file_refusal(served.error(), std::move(found), to);
    }
    if (const auto differing = differing_fields(kept, *served); !differing.empty()) {
        found.what += ": the service has another one, which differs in ";
        for (std::size_t i = 0; i < differing.size(); ++i) {
            found.what += (i == 0 ? "" : ", ") + std::string(differing[i]);
        }
        to.fail(std::move(found));
        return {};
    }
    const auto valid = service.verify_receipt(kept.receipt_id);
    if (!valid) {
        return file_refusal(valid.error(), std::move(found), to);
    }
    if (!valid->valid) {
        return file_refusal(error(errc::verification_failed, "the service calls it invalid"), std::move(found), to);
    }
    to.pass();
    return {};
}

}  // namespace

asked_receipts ask_about_receipts(const receipt_service& service, std::span<const receipt> kept, std::uint64_t jobs) {
    asked_receipts out;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (const auto asked = ask_about(service, kept[i], out.check); !asked) {
            out.check.leave(asked.error().describe(), kept.size() - i);
            out.ended_by = asked.error();
            break;
        }
    }
    if (jobs > kept.size()) {
        out.check.leave("the folder has no receipt of the job", jobs - kept.size());
    }
    return out;
}

}  // namespace vembed::audit
