// Accepted jobs whose responses are late, missing or wrong: what is asked again and for how long, what is left to the
// next run, and that nothing is bought for it.

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include "support/corpus_run.hpp"
#include "support/falsifier.hpp"
#include "support/mortal.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

const std::string unknown_job = R"({"error":"not_found","message":"no such job"})";
const std::string page = "<html><body>ingress</body></html>";

TEST(BulkLooks, WhatTheServiceDoesNotKnowForAMomentIsAskedForAgain) {
    for (const std::string& what : std::vector<std::string>{"/wait", "/results", "/output"}) {
        for (const canned& instead : {canned(404, unknown_job), canned(404, page), canned(200, page),
                                      canned(409, R"({"error":"not_settled","message":"wait"})")}) {
            if (what == "/output" && instead.status == 200) {
                continue;  // Without a shape that is a wrong output, not a late one.
            }
            false_world w;
            remembered_run run;
            const monotonic_time known_at = w.env->now() + 8s;
            w.net->answer = [&w, known_at, what, instead](const std::string& target) -> std::optional<canned> {
                const bool early = w.env->now() < known_at && asks_for_job(target, what);
                return early ? std::optional(instead) : std::nullopt;
            };
            const result<bulk_report> report = run.in(w);
            ASSERT_TRUE(report) << what << ' ' << instead.status << ' ' << report.error();
            EXPECT_EQ(report->reason, stop_reason::complete) << what << ' ' << instead.body << report->message;
            EXPECT_EQ(report->rows_done, 500U);
            EXPECT_EQ(report->extra_chunks, 0U);
            EXPECT_EQ(w.remote->counters().jobs_created, 5U) << what;
            run.expect_true_rows();
        }
    }
}

TEST(BulkLooks, AJobThatTheServiceNeverKnowsIsLeftToALaterRunAndLostOnlyToAnOldOne) {
    false_world w;
    remembered_run run;
    const auto unknown = [](const std::string& target) -> std::optional<canned> {
        return asks_for_job(target, "/wait") ? std::optional(canned(404, unknown_job)) : std::nullopt;
    };
    w.net->answer = unknown;
    for (int process = 0; process < 2; ++process) {
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << report->message;
        EXPECT_EQ(report->jobs_left.size(), 5U);
        EXPECT_TRUE(report->jobs_left.front().at_fault);
        EXPECT_EQ(report->extra_chunks, 0U);
        EXPECT_TRUE(report->unknown.empty());
        EXPECT_EQ(w.remote->counters().jobs_created, 5U);
        EXPECT_EQ(run.journal.count(batch_state::accepted), 5U);
        run.next_process();
        w.again();
        w.net->answer = unknown;
    }
    for (auto& [number, batch] : run.journal.batches) {
        batch.intended_at -= 11min;
    }
    std::set<std::string> gone;
    for (const auto& [number, batch] : run.journal.batches) {
        gone.insert("/jobs/" + batch.job_id + "/wait");
    }
    w.net->answer = [gone](const std::string& target) -> std::optional<canned> {
        const bool asked = gone.contains(target.substr(0, target.find('?')));
        return asked ? std::optional(canned(404, unknown_job)) : std::nullopt;
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(report->unknown.size(), 5U);
    EXPECT_EQ(w.remote->counters().jobs_created, 10U);
}

// The stated time is all there is: nothing below the run waits for a page on its own account first.
TEST(BulkLooks, AJobThatIsNotKnownIsAskedForAsLongAsVisibleWithinWhoeverAnswers) {
    for (const canned& instead : {canned(404, unknown_job), canned(404, page), canned(200, page), canned(404, ""),
                                  canned(409, R"({"error":"not_settled","message":"wait"})")}) {
        for (const std::chrono::seconds stated : {30s, 7s}) {
            SCOPED_TRACE(std::to_string(instead.status) + ' ' + instead.body);
            false_world w;
            remembered_run run(100);
            run.bulk.visible_within = stated;
            std::vector<monotonic_time> looks;
            w.net->answer = [&w, &looks, instead](const std::string& target) -> std::optional<canned> {
                if (!asks_for_job(target, "/wait")) {
                    return std::nullopt;
                }
                looks.push_back(w.env->now());
                return instead;
            };
            const result<bulk_report> report = run.in(w);
            ASSERT_TRUE(report) << report.error();
            ASSERT_GE(looks.size(), 3U);
            EXPECT_GE(looks.back() - looks.front(), stated);
            EXPECT_LE(looks.back() - looks.front(), stated + 1s);
            EXPECT_EQ(report->jobs_left.size(), 1U);
            EXPECT_EQ(run.journal.count(batch_state::accepted), 1U) << "left in flight";
        }
    }
}

// A page in front of a job that is known already says nothing of the job.
TEST(BulkLooks, APageLongAfterTheServiceKnewTheJobIsWaitedOut) {
    service_options chosen = false_world::options();
    chosen.settle_delay_ms = 240'000;
    false_world w(chosen);
    remembered_run run(100);
    const monotonic_time begun = w.env->now();
    w.net->answer = [&w, begun](const std::string& target) -> std::optional<canned> {
        const auto since = w.env->now() - begun;
        const bool in_the_way = since < 8s || (since > 100s && since < 115s);
        return in_the_way && asks_for_job(target, "/wait") ? std::optional(canned(404, page)) : std::nullopt;
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    run.expect_true_rows();
}

class lasting_fault {
public:
    std::string name;
    std::string where;
    canned instead;
};

TEST(BulkLooks, AFaultOfACompleteResponseEndsTheAskingForThatJobAndTheNextRunAsksOnce) {
    const std::string rows(std::size_t{100} * 384 * 4, '\0');
    const std::vector<lasting_fault> faults = {
        {"dtype", "/output", canned(200, rows, {{"X-Cyberian-Dtype", "float16"}, {"X-Cyberian-Shape", "100,384"}})},
        {"shape", "/output", canned(200, rows, {{"X-Cyberian-Dtype", "float32"}, {"X-Cyberian-Shape", "100x384"}})},
        {"length", "/output", canned(200, rows + "1234", {{"X-Cyberian-Dtype", "float32"}})},
        {"verify 500", "/verify", canned(500, R"({"error":"internal","message":"cannot verify"})")},
        {"verify 500 in other words", "/verify", canned(500, R"({"detail":"boom"})")},
        {"valid as text", "/verify", canned(200, R"({"valid":"true"})")},
        {"receipt 400", "/receipts/", canned(400, R"({"error":"invalid_request","message":"bad"})")},
    };
    for (const lasting_fault& fault : faults) {
        false_world w;
        remembered_run run;
        std::string victim;
        w.net->rewrite = [&victim](const std::string& target, std::string& body) {
            if (target.ends_with("/results") && victim.empty()) {
                const boost::json::object results = boost::json::parse(body).as_object();
                if (results.at("status").as_string() == "SETTLED") {
                    victim = std::string(results.at("receipt_id").as_string()) + ' ' +
                             std::string(results.at("job_id").as_string());
                }
            }
        };
        w.net->answer = [&victim, &fault](const std::string& target) -> std::optional<canned> {
            const std::size_t begins = target.find('/', 1) + 1;
            const std::string id = target.substr(begins, target.find_first_of("/?", begins) - begins);
            const bool meant = !victim.empty() && victim.find(id) != std::string::npos &&
                               target.find(fault.where) != std::string::npos;
            return meant ? std::optional(fault.instead) : std::nullopt;
        };
        const monotonic_time began = w.env->now();
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << fault.name << ' ' << report.error();
        EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << fault.name << ' ' << report->message;
        ASSERT_EQ(report->jobs_left.size(), 1U) << fault.name;
        EXPECT_FALSE(report->jobs_left.front().reason.empty());
        EXPECT_NE(victim.find(report->jobs_left.front().job_id), std::string::npos);
        EXPECT_EQ(report->rows_done, 400U) << fault.name;
        EXPECT_EQ(w.remote->counters().jobs_created, 5U) << fault.name;
        EXPECT_LE(w.net->requests, 60U) << fault.name;
        EXPECT_LE(w.env->now() - began, 60s) << fault.name;
        w.again();
        run.next_process();
        const result<bulk_report> next = run.in(w);
        ASSERT_TRUE(next) << fault.name << ' ' << next.error();
        EXPECT_EQ(next->reason, stop_reason::complete) << fault.name << ' ' << next->message;
        EXPECT_EQ(w.remote->counters().jobs_created, 5U) << fault.name;
        run.expect_true_rows();
    }
}

// The next process begins more than ten minutes after the last submission.
void age(remembered_run& run) {
    for (auto& [number, batch] : run.journal.batches) {
        batch.intended_at -= 11min;
    }
    run.next_process();
}

TEST(BulkLooks, AJobThatLacksOnlyItsReceiptIsNeverBoughtAgain) {
    false_world w;
    remembered_run run;
    for (int process = 0; process < 2; ++process) {
        w.net->answer = [](const std::string& target) -> std::optional<canned> {
            return target.starts_with("/receipts/") ? std::optional(canned(404, unknown_job)) : std::nullopt;
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << report->message;
        EXPECT_EQ(report->jobs_left.size(), 5U);
        EXPECT_TRUE(report->unknown.empty());
        EXPECT_EQ(w.remote->counters().jobs_created, 5U);
        age(run);
        w.again();
    }
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(w.remote->counters().jobs_created, 5U);
    run.expect_true_rows();
}

TEST(BulkLooks, AnEmpty500IsAskedAgainForHalfAMinute) {
    false_world w;
    remembered_run run;
    w.net->answer = [](const std::string& target) -> std::optional<canned> {
        return target.ends_with("/verify") ? std::optional(canned(500, "")) : std::nullopt;
    };
    const monotonic_time began = w.env->now();
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << report->message;
    EXPECT_EQ(report->jobs_left.size(), 5U);
    EXPECT_GE(w.env->now() - began, 30s);
    EXPECT_LE(w.env->now() - began, 90s);
    EXPECT_EQ(w.remote->counters().jobs_created, 5U);
}

TEST(BulkLooks, AnOutputThatDoesNotTellItsShapeIsTakenWhereItsLengthFits) {
    false_world w;
    remembered_run run;
    w.net->rewrite_output_head = [](response_head& head) {
        std::erase_if(head.headers, [](const header_field& field) { return field.name == "X-Cyberian-Shape"; });
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    run.expect_true_rows();
}

TEST(BulkLooks, WhatIsWrongWithEveryJobStopsTheBuying) {
    false_world w;
    remembered_run run(10'000);
    w.net->answer = [](const std::string& target) -> std::optional<canned> {
        return asks_for_job(target, "/output") ? std::optional(canned(200, "1234", {{"X-Cyberian-Dtype", "float16"}}))
                                               : std::nullopt;
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::faulty_jobs);
    EXPECT_NE(report->message.find("10 jobs in a row"), std::string::npos) << report->message;
    EXPECT_LE(w.remote->counters().jobs_created, 10U + 8U);
    EXPECT_EQ(run.journal.count(batch_state::accepted), w.remote->counters().jobs_created);
}

TEST(BulkLooks, AProofThatFailsForEveryJobStopsTheBuying) {
    false_world w;
    remembered_run run(10'000);
    w.net->answer = [](const std::string& target) -> std::optional<canned> {
        return target.ends_with("/verify") ? std::optional(canned(200, R"({"valid":false,"errors":["no"]})"))
                                           : std::nullopt;
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << report->message;
    EXPECT_LE(w.remote->counters().jobs_created, 10U + 8U);
    EXPECT_EQ(report->rows_done, 0U);
}

TEST(BulkLooks, JobsThatAllComeToNothingStopTheBuying) {
    for (const bool refunds : {false, true}) {
        service_options options = false_world::options();
        (refunds ? options.faults.refund : options.faults.failed_chunk) = 1;
        false_world w(options);
        remembered_run run(10'000);
        run.bulk.max_narrowing_chunks = 0;
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << refunds << report->message;
        EXPECT_NE(report->message.find("10 jobs in a row"), std::string::npos) << report->message;
        EXPECT_LE(w.remote->counters().jobs_created, (refunds ? 2U : 1U) * (10U + 8U));
    }
}

TEST(BulkLooks, AnAcceptedIdThatCannotBeUsedPutsItsBatchInDoubtAndTheOthersGoOn) {
    for (const std::string& id : std::vector<std::string>{"..", "", "%2e%2e", "a\nb", std::string(300, 'x')}) {
        false_world w;
        remembered_run run;
        run.bulk.on_unknown = unknown_policy::park;
        bool done = false;
        w.net->rewrite = [&done, id](const std::string& target, std::string& body) {
            if (target == "/jobs" && !done) {
                done = true;
                boost::json::object job = boost::json::parse(body).as_object();
                job["id"] = id;
                body = boost::json::serialize(job);
            }
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << id << ' ' << report.error();
        EXPECT_EQ(report->reason, stop_reason::parked_batches) << id;
        EXPECT_EQ(report->rows_done, 400U) << id;
        ASSERT_EQ(report->unknown.size(), 1U) << id;
        EXPECT_NE(report->unknown.front().reason.find("id"), std::string::npos) << report->unknown.front().reason;
    }
}

TEST(BulkLooks, OneIdForTwoSubmissionsPutsInDoubtWhatNoReceiptProves) {
    for (const bool first_is_early : {false, true}) {
        false_world w;
        remembered_run run;
        run.bulk.on_unknown = unknown_policy::park;
        std::string first;
        std::uint64_t submissions = 0;
        w.net->rewrite = [&](const std::string& target, std::string& body) {
            if (target != "/jobs") {
                return;
            }
            boost::json::object job = boost::json::parse(body).as_object();
            ++submissions;
            if (submissions == (first_is_early ? 1U : 3U)) {
                first = std::string(job.at("id").as_string());
            } else if (submissions == 4) {
                job["id"] = first;
                body = boost::json::serialize(job);
            }
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
        EXPECT_EQ(report->rows_done, 400U);
        ASSERT_EQ(report->unknown.size(), 1U);
        EXPECT_NE(report->unknown.front().reason.find(first), std::string::npos) << report->unknown.front().reason;
        EXPECT_EQ(run.journal.broken, std::vector<std::string>());
        run.expect_true_rows();
    }
}

TEST(BulkLooks, OneIdForTwoSubmissionsPutsBothInDoubtWhereItsReceiptProvesNeither) {
    false_world w;
    remembered_run run;
    run.bulk.on_unknown = unknown_policy::park;
    std::string other;
    std::uint64_t submissions = 0;
    // The third and the fourth get the id of a fifth job's texts.
    w.net->rewrite = [&](const std::string& target, std::string& body) {
        if (target != "/jobs" || ++submissions < 3) {
            return;
        }
        boost::json::object job = boost::json::parse(body).as_object();
        if (submissions == 3) {
            other = std::string(job.at("id").as_string());
        }
        job["id"] = submissions == 5 ? job.at("id") : boost::json::value(other);
        if (submissions == 3) {
            job["id"] = "no-such-job";
            other = "no-such-job";
        }
        body = boost::json::serialize(job);
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    EXPECT_EQ(report->rows_done, 300U);
    EXPECT_EQ(report->unknown.size(), 2U);
    EXPECT_EQ(run.journal.count(batch_state::unknown), 2U);
    EXPECT_EQ(run.journal.count(batch_state::accepted), 0U);
    EXPECT_EQ(run.journal.broken, std::vector<std::string>());
    run.expect_true_rows();
}

TEST(BulkLooks, ACountOfChunksThatCannotBeIsNotBelieved) {
    false_world w;
    remembered_run run;
    w.net->rewrite = [](const std::string& target, std::string& body) {
        if (target == "/jobs") {
            boost::json::object job = boost::json::parse(body).as_object();
            job["chunk_count"] = std::uint64_t(-1);
            body = boost::json::serialize(job);
        }
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(report->rows_done, 500U);
    EXPECT_LE(report->chunks_used, 500U);
}

TEST(BulkLooks, ACountOfChunksThatWasNotSaidIsTakenFromTheResults) {
    for (const boost::json::value& instead :
         {boost::json::value(), boost::json::value(0), boost::json::value(std::uint64_t(-1))}) {
        false_world w;
        remembered_run run;
        w.net->rewrite = [&instead](const std::string& target, std::string& body) {
            if (target == "/jobs") {
                boost::json::object job = boost::json::parse(body).as_object();
                job["chunk_count"] = instead;
                body = boost::json::serialize(job);
            }
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
        EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged) << instead;
        std::uint64_t journalled = 0;
        for (const auto& [number, batch] : run.journal.batches) {
            EXPECT_EQ(batch.state, batch_state::done);
            journalled += batch.chunks;
        }
        EXPECT_EQ(journalled, w.remote->counters().chunks_charged) << instead;
        EXPECT_EQ(run.journal.broken, std::vector<std::string>());
        run.expect_true_rows();
    }
}

TEST(EmbedLooks, AJobThatIsNotKnownForAMomentIsAskedForAgain) {
    false_world w;
    const monotonic_time known_at = w.env->now() + 5s;
    w.net->answer = [&w, known_at](const std::string& target) -> std::optional<canned> {
        const bool early = w.env->now() < known_at && target.starts_with("/jobs/");
        return early ? std::optional(canned(404, unknown_job)) : std::nullopt;
    };
    const result<embeddings> got = w.run(w.subject->embed("bge-small-v1.5", {"a", "b"}));
    ASSERT_TRUE(got) << got.error();
    EXPECT_EQ(got->rows.rows(), 2);
    EXPECT_EQ(w.remote->counters().jobs_created, 1U);
}

}  // namespace
}  // namespace vembed::testing
