// attest_corpus() end to end against the local service, in virtual time, through the public headers.

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>
#include <vembed/vembed.hpp>

#include "attest/own_rows.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

service_options ten_a_chunk() {
    service_options options;
    options.chunk_size = 10;
    return options;
}

result<attest_report> attest(world& w, attest_options options) {
    return w.run(attest_corpus(*w.subject, std::move(options)));
}

attest_options of_commitment(const own_rows& own) {
    attest_options options = own.options();
    options.npy_file.clear();
    options.commitment = digest_from_hex(commitment(own.values));
    return options;
}

const check_count* find(const attest_report& report, std::string_view name) {
    const auto found = std::ranges::find(report.checks, name, &check_count::name);
    return found == report.checks.end() ? nullptr : &*found;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(AttestCorpus, EveryRowGetsAReceiptAndEachClaimIsTold) {
    world w(ten_a_chunk());
    const own_rows own;
    std::vector<claim_record> told;
    std::vector<std::uint64_t> settled;
    attest_options options = own.options();
    options.requests_in_flight = 4;
    options.progress_interval = 0ms;
    options.on_claim = [&](const claim_record& record) {
        told.push_back(record);
        EXPECT_NE(own.folder.read("receipts.jsonl").find(record.receipt_id), std::string::npos) << "durable before";
    };
    options.on_progress = [&](const attest_report& so_far) {
        EXPECT_LE(so_far.requests_under_way, 3U);
        settled.push_back(so_far.rows_settled());
    };
    const auto report = attest(w, options);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_total, 25U);
    EXPECT_EQ(report->rows_attested, 25U);
    EXPECT_EQ(report->rows_attested_before, 0U);
    EXPECT_EQ(report->requests, 3U);
    EXPECT_EQ(report->requests_under_way, 0U);
    EXPECT_EQ(report->rows_per_request, 10U);
    EXPECT_FALSE(report->stopped);
    EXPECT_FALSE(report->ended_by);
    ASSERT_NE(find(*report, "receipt_hash"), nullptr);
    EXPECT_EQ(find(*report, "receipt_hash")->verified, 3U);
    EXPECT_EQ(find(*report, "outputs_root")->verified, 3U);
    ASSERT_EQ(told.size(), 3U);
    std::ranges::sort(told, {}, [](const claim_record& record) { return record.claim.first; });
    EXPECT_EQ(told[2].claim.first, 20U);
    EXPECT_EQ(told[2].claim.end, 25U);
    EXPECT_EQ(told[2].claim.commitment, commitment(own.values.middleRows(20, 5)));
    EXPECT_EQ(told[2].outcome, claim_outcome::attested);
    EXPECT_NE(told[2].receipt.find(told[2].receipt_id), std::string::npos);
    EXPECT_NE(told[2].checks.find("receipt_hash"), std::string::npos);
    EXPECT_TRUE(std::ranges::is_sorted(settled));
    EXPECT_EQ(settled.back(), 25U);
    EXPECT_EQ(own.folder.read("receipts.jsonl.sent"), "");
    EXPECT_EQ(w.remote->counters().chunks_charged, 3U);
}

TEST(AttestCorpus, ProgressIsToldOnceAnInterval) {
    service_options slow = ten_a_chunk();
    slow.settle_delay_ms = 1000;
    world w(slow);
    const own_rows own(40);
    attest_options options = own.options();
    options.progress_interval = 1500ms;
    std::vector<std::chrono::milliseconds> at;
    options.on_progress = [&](const attest_report&) { at.push_back(w.now()); };
    ASSERT_TRUE(attest(w, options));
    ASSERT_GE(at.size(), 2U);
    for (std::size_t i = 1; i < at.size(); ++i) {
        EXPECT_GE(at[i] - at[i - 1], 1500ms);
    }
}

TEST(AttestCorpus, TheSameCallAgainBuysNothing) {
    world w(ten_a_chunk());
    const own_rows own;
    ASSERT_TRUE(attest(w, own.options()));
    const std::string before = own.folder.read("receipts.jsonl");
    w.restart();
    const auto again = attest(w, own.options(0));
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->rows_attested, 25U);
    EXPECT_EQ(again->rows_attested_before, 25U);
    EXPECT_EQ(again->requests, 0U);
    EXPECT_EQ(own.folder.read("receipts.jsonl"), before);
    EXPECT_EQ(w.remote->counters().chunks_charged, 3U);
}

TEST(AttestCorpus, ACommitmentIsOneRequest) {
    world w(ten_a_chunk());
    const own_rows own;
    const auto report = attest(w, of_commitment(own));
    ASSERT_TRUE(report) << report.error();
    EXPECT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_EQ(report->rows_attested, 25U);
    EXPECT_EQ(report->requests, 1U);
    const auto again = attest(w, of_commitment(own));
    EXPECT_EQ(again->rows_attested_before, 25U);
    EXPECT_EQ(again->requests, 0U);
    attest_options other = of_commitment(own);
    other.commitment = sha256_of("other rows");
    EXPECT_EQ(attest(w, other)->ended_by->kind, errc::folder_mismatch);
    other.output_file += ".other";
    const auto rejected = attest(w, other);
    EXPECT_EQ(rejected->rows_rejected, 25U);
    ASSERT_EQ(rejected->not_attested.size(), 1U);
    EXPECT_NE(rejected->not_attested[0].job_id, "");
}

TEST(AttestCorpus, AStopWaitsForWhatIsUnderWayAndTheNextCallGoesOn) {
    service_options slow = ten_a_chunk();
    slow.settle_delay_ms = 700;
    world w(slow);
    const own_rows own(60);
    std::stop_source stop;
    attest_options options = own.options();
    options.requests_in_flight = 2;
    options.stop = stop.get_token();
    options.on_claim = [&](const claim_record&) { stop.request_stop(); };
    const auto stopped = attest(w, options);
    ASSERT_TRUE(stopped) << stopped.error();
    EXPECT_TRUE(stopped->stopped);
    EXPECT_FALSE(stopped->ended_by);
    EXPECT_EQ(stopped->rows_attested, 20U);
    EXPECT_EQ(stopped->rows_settled(), 20U);
    w.restart();
    const auto rest = attest(w, own.options());
    EXPECT_EQ(rest->rows_attested, 60U);
    EXPECT_EQ(rest->rows_attested_before, 20U);
    EXPECT_FALSE(rest->stopped);
    EXPECT_EQ(w.remote->counters().chunks_charged, 6U);
}

TEST(AttestCorpus, AStopAfterTheLastRequestStopsNothing) {
    world w(ten_a_chunk());
    const own_rows own(20);
    std::stop_source stop;
    attest_options options = own.options();
    options.requests_in_flight = 2;
    options.stop = stop.get_token();
    options.on_claim = [&](const claim_record& record) {
        if (record.claim.end == 20) {
            stop.request_stop();
        }
    };
    const auto report = attest(w, options);
    EXPECT_EQ(report->rows_attested, 20U);
}

// Cancelled at each step in turn, as a process may die: nothing is paid for twice, and what may have been is named.
TEST(AttestCorpus, ACancellationLeavesWhatWasUnderWayUnknown) {
    service_options slow = ten_a_chunk();
    slow.settle_delay_ms = 700;
    std::uint64_t unknown_seen = 0;
    for (std::uint64_t at = 1; at < 60; at += 3) {
        world w(slow);
        const own_rows own(30);
        asio::cancellation_signal signal;
        const auto cancel = [&signal, at](std::uint64_t event) {
            if (event == at) {
                signal.emit(asio::cancellation_type::terminal);
            }
        };
        const auto ended = w.run(attest_corpus(*w.subject, own.options()), cancel, signal.slot());
        ASSERT_TRUE(ended || ended.error().kind == errc::cancelled) << at << ' ' << ended.error();
        w.restart();
        const auto rest = attest(w, own.options());
        ASSERT_TRUE(rest) << at << ' ' << rest.error();
        EXPECT_EQ(rest->rows_attested + rest->rows_unknown, 30U) << at;
        unknown_seen += rest->rows_unknown;
        EXPECT_LE(w.remote->counters().chunks_charged, 3U) << at;
        attest_options again = own.options();
        again.retry_unknown = true;
        EXPECT_EQ(attest(w, again)->rows_attested, 30U) << at;
    }
    EXPECT_GT(unknown_seen, 0U);
}

TEST(AttestCorpus, TheEndOfTheClientEndsTheCall) {
    service_options slow = ten_a_chunk();
    slow.settle_delay_ms = 700;
    world w(slow);
    const own_rows own(30);
    const auto end_client = [&w](std::uint64_t event) {
        if (event == 15) {
            w.subject.reset();
        }
    };
    const auto ended = w.run(attest_corpus(*w.subject, own.options()), end_client);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, errc::cancelled);
    w.restart();
    const auto rest = attest(w, own.options());
    EXPECT_EQ(rest->rows_attested + rest->rows_unknown, 30U);
}

TEST(AttestCorpus, RowsThatAreNotTheServicesAreNamed) {
    world w(ten_a_chunk());
    own_rows own;
    own.values(12, 5) += 1e-6F;
    own.write();
    const auto report = attest(w, own.options());
    EXPECT_EQ(report->rows_attested, 15U);
    EXPECT_EQ(report->rows_rejected, 10U);
    ASSERT_EQ(report->not_attested.size(), 1U);
    EXPECT_EQ(report->not_attested[0].claim.first, 10U);
    EXPECT_EQ(report->not_attested[0].outcome, claim_outcome::rejected);
    EXPECT_NE(report->not_attested[0].reason, "");
    EXPECT_EQ(attest(w, own.options())->requests, 0U);
}

TEST(AttestCorpus, ReceiptsThatDoNotHoldAndLateAnswers) {
    service_options options = ten_a_chunk();
    options.spoiled.emplace_back(proof_fault::inputs_root_forged, 2, 2);
    world spoiled(options);
    const own_rows own;
    const auto report = attest(spoiled, own.options());
    EXPECT_EQ(report->rows_attested, 15U);
    EXPECT_EQ(report->rows_unverified, 10U);
    options = ten_a_chunk();
    options.settle_delay_ms = 90'000;
    world late(options);
    const own_rows others(5);
    EXPECT_EQ(attest(late, others.options())->rows_timed_out, 5U);
    EXPECT_EQ(attest(late, others.options())->requests, 1U) << "asked again";
}

TEST(AttestCorpus, ARowThatTheServiceRefusesIsFound) {
    service_options options;
    options.poison = "number 7919";
    options.poison_is_refused = true;
    world w(options);
    const own_rows own(8);
    const auto report = attest(w, own.options(0));
    EXPECT_EQ(report->rows_attested, 7U);
    EXPECT_EQ(report->rows_refused, 1U);
    ASSERT_EQ(report->not_attested.size(), 1U);
    EXPECT_EQ(report->not_attested[0].claim.first, 1U);
    EXPECT_EQ(report->not_attested[0].outcome, claim_outcome::refused);
}

TEST(AttestCorpus, RequestsAreHalvedIfTheServiceTakesFewerChunks) {
    service_options options;
    options.account_tier = tier::free;
    options.chunk_size = 1;
    options.chunks_per_minute = 1'000;
    options.chunks_per_day = 1'000;
    world w(options);
    const own_rows own(60);
    std::vector<std::string> logged;
    w.env->set_log_hook([&](const log_record& record) { logged.emplace_back(record.event); });
    const auto report = attest(w, own.options(0));
    ASSERT_TRUE(report) << report.error();
    ASSERT_FALSE(report->ended_by) << *report->ended_by;
    EXPECT_EQ(report->rows_attested, 60U);
    EXPECT_EQ(report->rows_per_request, 30U);
    EXPECT_EQ(std::ranges::count(logged, "attest_request_halved"), 1);
}

TEST(AttestCorpus, AChunkSizeThatTheSpecificationHasInQuotesIsTheSizeOfRequests) {
    world w{service_options()};
    const own_rows own;
    attest_options options = own.options(0);
    options.model.clear();
    options.spec_yaml = "model: bge-small-v1.5\nchunking:\n  chunk_size: \"10\"\n";
    std::vector<std::string> logged;
    w.env->set_log_hook([&](const log_record& record) { logged.emplace_back(record.event); });
    const auto report = attest(w, options);
    EXPECT_EQ(report->rows_attested, 25U);
    EXPECT_EQ(report->rows_per_request, 10U);
    EXPECT_EQ(report->requests, 3U);
    EXPECT_EQ(std::ranges::count(logged, "attest_request_halved"), 0);
}

TEST(AttestCorpus, RowsThatCannotBeSentAreLeftOut) {
    world w(ten_a_chunk());
    own_rows own;
    own.texts[3] = "";
    own.texts[7] = std::string(70'000, 'x');
    own.values(24, 0) = std::numeric_limits<float>::quiet_NaN();
    own.write();
    const auto report = attest(w, own.options());
    EXPECT_EQ(report->rows_attested, 22U);
    EXPECT_EQ(report->rows_blank, 1U);
    EXPECT_EQ(report->rows_refused, 2U);
    EXPECT_EQ(report->rows_settled(), 25U);
    ASSERT_EQ(report->unfit.size(), 2U);
    EXPECT_EQ(report->unfit[0].row, 7U);
    EXPECT_NE(report->unfit[1].why.find("not finite"), std::string::npos);
}

// ---- errors

void expect_refused(world& w, attest_options options, errc kind, const char* what) {
    const std::uint64_t charged = w.remote->counters().chunks_charged;
    const auto refused = attest(w, std::move(options));
    ASSERT_FALSE(refused) << what;
    EXPECT_EQ(refused.error().kind, kind) << what << ": " << refused.error();
    for (const char* of_the_program : {" -o ", "--", "`vembed"}) {
        EXPECT_EQ(refused.error().message.find(of_the_program), std::string::npos) << refused.error();
    }
    EXPECT_EQ(w.remote->counters().chunks_charged, charged) << what;
}

TEST(AttestCorpusErrors, OptionsThatDoNotFit) {
    world w(ten_a_chunk());
    const own_rows own;
    const struct {
        const char* what;
        void (*change)(attest_options&, const own_rows&);
    } cases[] = {{"rows and commitment", [](auto& o, const auto&) { o.commitment = sha256_of("rows"); }},
                 {"neither", [](auto& o, const auto&) { o.npy_file.clear(); }},
                 {"no model", [](auto& o, const auto&) { o.model.clear(); }},
                 {"model and specification", [](auto& o, const auto&) { o.spec_yaml = "model: m\n"; }},
                 {"no output file", [](auto& o, const auto&) { o.output_file.clear(); }},
                 {"a large chunk", [](auto& o, const auto&) { o.rows_per_chunk = 1001; }},
                 {"many requests", [](auto& o, const auto&) { o.requests_in_flight = 65; }},
                 {"no inputs", [](auto& o, const auto&) { o.inputs.clear(); }},
                 {"another width", [](auto& o, const auto&) { o.model = "bge-large-v1.5"; }},
                 {"a folder for the output", [](auto& o, const auto& with) { o.output_file = with.folder.path(); }},
                 {"no text",
                  [](auto& o, const auto& with) {
                      o.npy_file.clear();
                      o.commitment = sha256_of("rows");
                      o.inputs = {with.folder.write("empty.txt", "")};
                  }},
                 {"more than 1000 texts", [](auto& o, const auto& with) {
                      o.npy_file.clear();
                      o.commitment = sha256_of("rows");
                      o.inputs = {with.folder.write("many.txt", lines_of(corpus(1001)))};
                  }}};
    for (const auto& c : cases) {
        attest_options options = own.options();
        c.change(options, own);
        expect_refused(w, options, errc::invalid_argument, c.what);
    }
}

TEST(AttestCorpusErrors, FilesThatDoNotFit) {
    world w(ten_a_chunk());
    const own_rows own;
    attest_options options = own.options();
    options.npy_file = own.folder.file("corpus.txt");
    expect_refused(w, options, errc::bad_input, "no matrix");
    options = own.options();
    options.inputs = {own.folder.write("fewer.txt", lines_of(corpus(24)))};
    expect_refused(w, options, errc::bad_input, "fewer texts than rows");
    options = own.options();
    options.output_file = own.folder.write("notes.txt", "mine\n");
    expect_refused(w, options, errc::bad_input, "another file");
    EXPECT_EQ(own.folder.read("notes.txt"), "mine\n");
    options = of_commitment(own);
    options.inputs = {own.folder.write("blank.txt", "one\n\ntwo\n")};
    expect_refused(w, options, errc::bad_input, "a text that cannot be sent");
    options = own.options();
    options.npy_file = own.folder.file("nowhere.npy");
    expect_refused(w, options, errc::io, "no file");
    options = own.options();
    options.output_file = own.folder.file("nowhere/receipts.jsonl");
    expect_refused(w, options, errc::io, "no folder");
    std::stop_source stop;
    stop.request_stop();
    options = own.options();
    options.stop = stop.get_token();
    expect_refused(w, options, errc::cancelled, "stopped before it began");
}

TEST(AttestCorpusErrors, AnOutputFileOfAnotherRunOrInUse) {
    world w(ten_a_chunk());
    const own_rows own;
    ASSERT_TRUE(attest(w, own.options()));
    attest_options options = own.options();
    options.model.clear();
    options.spec_yaml = "model: bge-small-v1.5\nchunking:\n  chunk_size: 10\n";
    expect_refused(w, options, errc::folder_mismatch, "a specification");
    // From within another call that uses the file.
    std::optional<result<attest_report>> second;
    options = own.options();
    options.output_file = own.folder.file("other.jsonl");
    options.on_claim = [&](const claim_record&) {
        if (!second) {
            second.emplace(error());
            attest_options same = own.options();
            same.output_file = own.folder.file("other.jsonl");
            asio::co_spawn(w.context, attest_corpus(*w.subject, same),
                           [&](const std::exception_ptr&, result<attest_report> r) { second = std::move(r); });
        }
    };
    ASSERT_TRUE(attest(w, options));
    ASSERT_TRUE(second && !*second);
    EXPECT_EQ(second->error().kind, errc::folder_mismatch) << second->error();
}

TEST(AttestCorpusErrors, ARefusedKey) {
    client_options options;
    options.api_key = secret::from_key("cyb_00000000000000000000000000000000deadbeef").value();
    world w(ten_a_chunk(), 1, options);
    const own_rows own;
    expect_refused(w, own.options(), errc::unauthorized, "a key of nobody");
    EXPECT_EQ(attest(w, of_commitment(own))->ended_by->kind, errc::unauthorized);
}

TEST(AttestCorpusErrors, AnAccountThatIsUsedUpEndsTheCallWithWhatWasAchieved) {
    service_options options = ten_a_chunk();
    options.chunks_per_period = 2;
    world w(options);
    const own_rows own;
    const auto report = attest(w, own.options());
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_attested, 20U);
    ASSERT_TRUE(report->ended_by);
    EXPECT_EQ(report->ended_by->kind, errc::quota_exceeded) << *report->ended_by;
    EXPECT_EQ(own.folder.read("receipts.jsonl.sent"), "");
    options = ten_a_chunk();
    options.account_tier = tier::expired;
    world expired(options);
    const own_rows others;
    EXPECT_EQ(attest(expired, others.options())->ended_by->kind, errc::trial_expired);
}

TEST(AttestCorpusErrors, LinesAndRowsThatChangedSince) {
    world w(ten_a_chunk());
    own_rows own;
    ASSERT_TRUE(attest(w, own.options()));
    const std::string good = own.folder.read("receipts.jsonl");
    own.folder.write("receipts.jsonl",
                     replaced(good, "\"receipt\":{\"receipt_id\":\"", "\"receipt\":{\"receipt_id\":\"0"));
    auto ended = attest(w, own.options());
    ASSERT_TRUE(ended && ended->ended_by);
    EXPECT_EQ(ended->ended_by->kind, errc::verification_failed) << *ended->ended_by;
    EXPECT_EQ(ended->requests, 0U);
    own.folder.write("receipts.jsonl", good);
    own.values(0, 0) += 1;
    own.write();
    ended = attest(w, own.options());
    ASSERT_TRUE(ended && ended->ended_by);
    EXPECT_EQ(ended->ended_by->kind, errc::folder_mismatch) << *ended->ended_by;
    EXPECT_NE(ended->ended_by->message.find("attest_options::output_file"), std::string::npos);
    EXPECT_EQ(w.remote->counters().chunks_charged, 3U);
}

TEST(AttestCorpusErrors, ACommitmentBeyondOneRequest) {
    world w(ten_a_chunk());
    const own_rows own;
    attest_options options = of_commitment(own);
    options.model.clear();
    options.spec_yaml = "model: bge-small-v1.5\nchunking:\n  chunk_size: 10\n";
    const auto report = attest(w, options);
    ASSERT_TRUE(report) << report.error();
    ASSERT_TRUE(report->ended_by);
    EXPECT_EQ(report->ended_by->kind, errc::request_too_large) << *report->ended_by;
    EXPECT_EQ(report->requests, 0U);
}

// What a callback throws ends the call in order: the response that was on its way is kept.
TEST(AttestCorpusErrors, ACallbackThatThrows) {
    world w(ten_a_chunk());
    const own_rows own;
    attest_options options = own.options();
    options.requests_in_flight = 2;
    options.on_claim = [](const claim_record&) { throw std::runtime_error("no room"); };
    const auto report = attest(w, options);
    ASSERT_TRUE(report) << report.error();
    ASSERT_TRUE(report->ended_by);
    EXPECT_EQ(report->ended_by->kind, errc::callback_failed);
    EXPECT_NE(report->ended_by->message.find("no room"), std::string::npos);
    EXPECT_EQ(report->rows_attested, 20U);
    const auto rest = attest(w, own.options());
    EXPECT_EQ(rest->rows_attested, 25U);
    EXPECT_EQ(rest->rows_attested_before, 20U);
}

}  // namespace
}  // namespace vembed::testing
