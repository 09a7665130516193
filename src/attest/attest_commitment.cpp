#include "attest/attest_commitment.hpp"

#include <algorithm>
#include <span>

#include <vembed/verify/claim_check.hpp>
#include <vembed/verify/receipt_hash.hpp>

#include "attest/attest_outcomes.hpp"
#include "attest/attest_source.hpp"
#include "attest/attested_lines.hpp"
#include "client/jobs/attest.hpp"
#include "corpus/few_texts.hpp"
#include "text/text_format.hpp"

namespace vembed::attest {
namespace {

result<std::vector<std::string>> read_texts(const attest_options& options) {
    const auto source = open_files(options.inputs, options.format);
    if (!source) {
        return source.error();
    }
    auto texts = corpus::read_few_texts(**source, request_rows_max);
    if (!texts) {
        return texts.error();
    }
    if (!*texts) {
        return error(errc::invalid_argument, "there are more than " + std::to_string(request_rows_max) +
                                                 " texts, which do not go into one request");
    }
    return std::move(**texts);
}

result<void> check_size(const attest_call& call, const account_info& account) {
    const std::uint64_t most =
        std::min(account.limits.max_inputs.value_or(request_rows_max), call.spec_chunk_size.value_or(request_rows_max));
    if (call.report.rows_total > most) {
        return error(errc::request_too_large,
                     "a commitment goes in one request, which takes " + text::counted(most, "text", "texts") +
                         " at most, not " + text::grouped(call.report.rows_total) + ": commit to parts of the rows");
    }
    return {};
}

// Whether the file has the claim already and it is not sent again; if so, the claim is counted in the report.
result<bool> is_known(attest_call* call, const attest_record_file& file, const claim_history& history,
                      const row_claim& claim, const std::vector<std::string>& texts) {
    const recorded_claim* const before = history.at(0);
    if (before == nullptr && !history.next_after(0)) {
        return false;
    }
    const bool same = before != nullptr && before->claim.end == claim.end &&
                      before->claim.commitment == claim.commitment && before->claim.inputs_root == claim.inputs_root;
    if (!same) {
        return error(
            errc::folder_mismatch,
            call->options.output_file + " is about other texts or rows: give attest_options::output_file another name");
    }
    if (before->outcome == claim_outcome::attested) {
        attested_lines lines(file, *call->core->pins, call->spec_chunk_size);
        if (auto held = lines.hold(*before, &texts); !held) {
            return held.error();
        }
    }
    if (is_asked_again(before->outcome, call->options.retry_unknown)) {
        return false;
    }
    count(call->report, *before, true);
    return true;
}

// Checks what can be checked of the receipt without the rows.
claim_record judge(const attest_call& call, const row_claim& claim, const job_request& request, const receipt& got,
                   offline_report& checks) {
    claim_evidence evidence;
    evidence.model = request.model;
    evidence.rows = claim.end;
    evidence.commitment = claim.commitment;
    evidence.one_chunk = claim.end <= std::max<std::uint64_t>(call.spec_chunk_size.value_or(1), 1);
    evidence.inputs.emplace(request.inputs.begin(), request.inputs.end());
    checks = verify_claim_offline(got.raw_text, evidence, *call.core->pins);
    claim_record record;
    record.claim = claim;
    record.outcome = claim_outcome::attested;
    record.job_id = got.job_id;
    record.receipt_id = got.receipt_id;
    record.receipt = got.raw_text;
    if (const offline_check* const bad = checks.first_failed()) {
        record.outcome = claim_outcome::unverified;
        record.reason = "its receipt fails the check " + bad->name + ": " + bad->reason;
    } else {
        record.checks = checks_text(checks);
    }
    return record;
}

// Sends the claim. A stop does not cancel this: the response tells what happened to a request that is charged.
asio::awaitable<result<void>> send(attest_call* call, attest_record_file* file, row_claim claim,
                                   std::shared_ptr<const job_request> request) {
    std::function<result<std::uint64_t>()> beginning = [file, &claim] { return file->begin(claim); };
    const result<std::uint64_t> number = co_await on_worker(call->core->env, std::move(beginning));
    if (!number) {
        co_return number.error();
    }
    const monotonic_time deadline = deadline_after(call->core->env->now(), request_patience);
    const result<receipt> got = co_await detail::submit_claim(call->core, request, claim.commitment, deadline);
    if (!got && react_to_claim(got.error()) != claim_reaction::record) {
        const result<void> withdrawn = co_await call->withdraw(file, *number);
        co_return withdrawn ? result<void>(got.error()) : withdrawn;
    }
    ++call->report.requests;
    offline_report checks;
    const claim_record record =
        got ? judge(*call, claim, *request, *got, checks) : record_of_failure(claim, got.error());
    count(call->report, checks);
    const result<void> kept = co_await call->keep(file, *number, &record);
    if (kept && record.outcome == claim_outcome::attested) {
        *call->core->pins = narrowed(*call->core->pins, checks.pins);
        co_await call->core->keep_pins(deadline);
    }
    co_return kept;
}

asio::awaitable<result<void>> attest_texts(attest_call* call, std::vector<std::string> texts) {
    const result<account_info> account = co_await call->read_account();
    if (!account) {
        co_return account.error();
    }
    const result<void> fits = check_size(*call, *account);
    if (!fits) {
        co_return fits;
    }
    claim_history history;
    result<attest_record_file> file = co_await call->open_file(&history);
    if (!file) {
        co_return file.error();
    }
    row_claim claim;
    claim.end = texts.size();
    claim.commitment = to_hex(*call->options.commitment);
    claim.inputs_root = inputs_root(std::span<const std::string>(texts));
    const result<bool> known = is_known(call, *file, history, claim, texts);
    if (!known) {
        co_return known.error();
    }
    call->report.stopped = !*known && call->is_stopped();
    if (*known || call->report.stopped) {
        co_return result<void>();
    }
    auto request = std::make_shared<const job_request>(call->request_for(std::move(texts)));
    co_return co_await send(call, &*file, std::move(claim), std::move(request));
}

}  // namespace

asio::awaitable<result<void>> attest_commitment(attest_call* call) {
    std::function<result<std::vector<std::string>>()> reading = [call] { return read_texts(call->options); };
    result<std::vector<std::string>> texts = co_await runtime::on_reader(call->core->env, std::move(reading));
    if (!texts) {
        co_return texts.error();
    }
    call->report.rows_total = texts->size();
    call->report.rows_per_request = texts->size();
    const result<void> done = co_await attest_texts(call, std::move(*texts));
    if (!done) {
        call->end(done.error());
    }
    co_return result<void>();
}

}  // namespace vembed::attest
