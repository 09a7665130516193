#include "cli/commands/attest_commitment.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <vembed/client/pins_file.hpp>
#include <vembed/verify/claim_check.hpp>
#include <vembed/verify/receipt_hash.hpp>

#include "attest/attest_record.hpp"
#include "attest/attested_lines.hpp"
#include "cli/options/few_texts.hpp"
#include "cli/report/attest_report.hpp"
#include "policy/packing/spec_chunk_size.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

/// The one claim, and what is known about it before it is sent.
class whole_claim {
public:
    job_request request;
    attest::row_claim claim;
    attest::attest_identity identity;
    std::optional<std::uint64_t> spec_chunk_size;
    std::string pins_key;  ///< Empty if the service does not say whose account it is.
    account_pins pins;

    whole_claim() = default;
};

result<whole_claim> make_claim(const attest_arguments& arguments) {
    whole_claim made;
    const auto commitment = digest_from_hex(arguments.commitment);
    if (!commitment) {
        return error(errc::invalid_argument, "--commitment: it is the SHA-256 of the rows' bytes, 64 hex digits");
    }
    auto texts = read_few_texts(arguments.corpus);
    if (!texts) {
        return texts.error();
    }
    made.claim.end = texts->size();
    made.claim.commitment = to_hex(*commitment);
    made.claim.inputs_root = inputs_root(std::span<const std::string>(*texts));
    made.identity.model = arguments.model;
    if (arguments.spec_file.empty()) {
        made.request = job_request::for_model(arguments.model, std::move(*texts));
        return made;
    }
    auto request = job_request::for_spec_file(arguments.spec_file, std::move(*texts));
    if (!request) {
        return request.error();
    }
    made.request = std::move(*request);
    made.identity.spec_sha256 = to_hex(sha256_of(made.request.spec_yaml));
    made.spec_chunk_size = policy::chunk_size_of_spec(made.request.spec_yaml);
    return made;
}

result<void> ask_account(session& with, const std::string& pins_file, whole_claim& made) {
    made.identity.service = with.client().base_url();
    const auto account = with.run(with.client().get_account(with.cancellable()));
    if (!account) {
        return account.error();
    }
    const std::uint64_t most =
        std::min(account->limits.max_inputs.value_or(few_texts_max), made.spec_chunk_size.value_or(few_texts_max));
    if (made.claim.end > most) {
        return error(errc::request_too_large, "a commitment goes in one request, which takes " +
                                                  text::counted(most, "text", "texts") + " at most, not " +
                                                  text::grouped(made.claim.end) + ": commit to parts of the rows");
    }
    if (pins_file.empty() || account->account_id.empty()) {
        return {};
    }
    made.pins_key = pins_key(made.identity.service, account->account_id);
    const auto known = read_pins_file(pins_file);
    if (!known) {
        return known.error();
    }
    made.pins = known->of(made.pins_key);
    return {};
}

// Whether the file has the claim already; if so, the claim is counted in the report.
result<bool> is_known(const attest::attest_record_file& file, const attest::claim_history& history,
                      const attest_arguments& arguments, const whole_claim& made, attest_report& report) {
    const attest::claim_record* const before = history.at(0);
    if (before == nullptr && !history.next_after(0)) {
        return false;
    }
    const bool same = before != nullptr && before->claim.end == made.claim.end &&
                      before->claim.commitment == made.claim.commitment &&
                      before->claim.inputs_root == made.claim.inputs_root;
    if (!same) {
        return error(errc::folder_mismatch,
                     arguments.output_file + " is about other texts or rows: give -o another name");
    }
    if (before->outcome == attest::claim_outcome::attested) {
        attest::attested_lines lines(file, made.pins, made.spec_chunk_size);
        if (auto held = lines.hold(*before, &made.request.inputs); !held) {
            return held.error();
        }
    }
    const bool again = before->outcome == attest::claim_outcome::timed_out ||
                       (before->outcome == attest::claim_outcome::unknown && arguments.retry_unknown);
    if (!again) {
        report.add(*before, true);
    }
    return !again;
}

// Checks what can be checked of the receipt without the rows.
attest::claim_record judge(const whole_claim& made, const receipt& got, offline_report& checks) {
    claim_evidence evidence;
    evidence.model = made.request.model;
    evidence.rows = made.claim.end;
    evidence.commitment = made.claim.commitment;
    evidence.one_chunk = made.claim.end <= std::max<std::uint64_t>(made.spec_chunk_size.value_or(1), 1);
    evidence.inputs.emplace(made.request.inputs.begin(), made.request.inputs.end());
    checks = verify_claim_offline(got.raw_text, evidence, made.pins);
    attest::claim_record record;
    record.claim = made.claim;
    record.outcome = attest::claim_outcome::attested;
    record.job_id = got.job_id;
    record.receipt_id = got.receipt_id;
    record.receipt = got.raw_text;
    if (const offline_check* const bad = checks.first_failed()) {
        record.outcome = attest::claim_outcome::unverified;
        record.reason = "its receipt fails the check " + bad->name + ": " + bad->reason;
    } else {
        record.checks = checks_text(checks);
    }
    return record;
}

// The record of a claim that may have had an effect, or that the service has judged; otherwise the error, which ends
// the run.
result<attest::claim_record> record_of_failure(const whole_claim& made, const error& why) {
    if (react_to_claim(why) != claim_reaction::record) {
        return why;
    }
    attest::claim_record record;
    record.claim = made.claim;
    record.outcome = outcome_of(why);
    record.job_id = why.job_id;
    record.receipt_id = why.receipt_id;
    record.reason = why.message;
    return record;
}

result<void> ask(session& with, const std::string& pins_file, const whole_claim& made, attest::attest_record_file& file,
                 attest_report& report) {
    const auto number = file.begin(made.claim);
    if (!number) {
        return number.error();
    }
    // Ctrl-C does not cancel this: the response tells what happened to a request that is charged.
    call_options options;
    options.timeout = 24h;
    const auto got = with.run(with.client().verify_outputs(made.request, made.claim.commitment, options));
    offline_report checks;
    result<attest::claim_record> record =
        got ? result<attest::claim_record>(judge(made, *got, checks)) : record_of_failure(made, got.error());
    if (!record) {
        const auto withdrawn = file.withdraw(*number);
        return withdrawn ? result<void>(record.error()) : withdrawn;
    }
    ++report.requests;
    report.add(*record, false);
    if (got) {
        report.add(checks);
    }
    if (auto kept = file.finish(*number, *record); !kept) {
        return kept;
    }
    if (record->outcome != attest::claim_outcome::attested || made.pins_key.empty()) {
        return {};
    }
    const auto learned = add_to_pins_file(pins_file, made.pins_key, checks.pins);
    return learned ? result<void>() : result<void>(learned.error());
}

result<void> attest_whole(session& with, const attest_arguments& arguments, const std::string& pins_file,
                          whole_claim& made, attest_report& report) {
    if (auto asked = ask_account(with, pins_file, made); !asked) {
        return asked;
    }
    attest::claim_history history;
    auto file = attest::attest_record_file::open(arguments.output_file, made.identity, history);
    if (!file) {
        return file.error();
    }
    const auto known = is_known(*file, history, arguments, made, report);
    if (!known) {
        return known.error();
    }
    return *known ? result<void>() : ask(with, pins_file, made, *file, report);
}

}  // namespace

exit_code attest_commitment(const command_context& context, const attest_arguments& arguments, session& with,
                            const std::string& pins_file) {
    auto made = make_claim(arguments);
    if (!made) {
        return give_up(context.out, made.error());
    }
    attest_report report;
    report.rows_total = made->claim.end;
    report.rows_per_request = made->claim.end;
    if (auto done = attest_whole(with, arguments, pins_file, *made, report); !done) {
        report.ended_by = done.error();
        context.out.fail(done.error());
    }
    tell_end(context.out, report, arguments.output_file);
    if (context.out.json()) {
        context.out.print_object("report", report_object(report));
    }
    return exit_code_of(report);
}

}  // namespace vembed::cli
