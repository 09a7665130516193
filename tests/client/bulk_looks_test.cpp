// Accepted jobs whose responses are late, missing or wrong: what is asked again and for how long, what is left to the
// next run, and that nothing is bought for it.

#include <cstring>

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include "support/corpus_run.hpp"
#include "support/mortal.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

class canned {
public:
    int status = 200;
    std::string body;
    std::vector<header_field> headers;

    canned() = default;
    canned(int code, std::string text, std::vector<header_field> fields = {})
        : status(code), body(std::move(text)), headers(std::move(fields)) {}
};

class collected final : public response_sink {
public:
    result<void> begin(const response_head&) override { return {}; }
    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(at_most);
        return room_;
    }
    result<void> commit(std::size_t size) override {
        body.append(reinterpret_cast<const char*>(room_.data()), size);
        return {};
    }

    std::string body;

private:
    std::vector<std::byte> room_;
};

class shapeless final : public response_sink {
public:
    explicit shapeless(response_sink* to) : to_(to) {}
    result<void> begin(const response_head& head) override {
        response_head without = head;
        std::erase_if(without.headers, [](const header_field& field) { return field.name == "X-Cyberian-Shape"; });
        return to_->begin(without);
    }
    std::span<std::byte> prepare(std::size_t at_most) override { return to_->prepare(at_most); }
    result<void> commit(std::size_t size) override { return to_->commit(size); }

private:
    response_sink* to_;
};

// Passes requests on, but answers some in the service's place, and rewrites what the service says to others.
class falsifier final : public transport {
public:
    falsifier(std::shared_ptr<environment> env, std::shared_ptr<transport> to)
        : env_(std::move(env)), to_(std::move(to)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        ++requests;
        const std::string target = request->target;
        const std::optional<canned> instead = answer ? answer(target) : std::nullopt;
        if (instead) {
            exchange_outcome outcome;
            outcome.bytes_written = 1000;
            outcome.request_written = true;
            outcome.head.emplace();
            outcome.head->status = instead->status;
            outcome.head->headers = instead->headers;
            give(instead->body, sink, &outcome);
            co_return outcome;
        }
        if (drop_shape && target.ends_with("/output")) {
            shapeless without(sink);
            co_return co_await to_->exchange(request, &without, deadline);
        }
        if (!rewrite || target.ends_with("/output")) {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        collected whole;
        exchange_outcome outcome = co_await to_->exchange(request, &whole, deadline);
        if (outcome.head && !outcome.error) {
            rewrite(target, whole.body);
            give(whole.body, sink, &outcome);
        }
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }

    std::function<std::optional<canned>(const std::string& target)> answer;
    std::function<void(const std::string& target, std::string& body)> rewrite;
    bool drop_shape = false;
    std::uint64_t requests = 0;

private:
    static void give(const std::string& body, response_sink* sink, exchange_outcome* outcome) {
        outcome->reply_begun = true;
        outcome->head->content_length = body.size();
        if (const auto begun = sink->begin(*outcome->head); !begun) {
            outcome->error = begun.error();
            return;
        }
        std::size_t given = 0;
        while (given < body.size()) {
            const std::span<std::byte> room = sink->prepare(body.size() - given);
            if (room.empty()) {
                outcome->error = failure(errc::protocol, "the reply is longer than its sink takes");
                return;
            }
            std::memcpy(room.data(), body.data() + given, room.size());
            (void)sink->commit(room.size());
            given += room.size();
        }
    }

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> to_;
};

class false_world : public world {
public:
    false_world() : world(options()) { again(); }

    void again() {
        subject.reset();
        env->run();
        net = std::make_shared<falsifier>(env, make_memory_transport(env, remote));
        client_options chosen;
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = env;
        chosen.transport_override = net;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

    static service_options options() {
        service_options chosen;
        chosen.account_tier = tier::paid;
        return chosen;
    }

    std::shared_ptr<falsifier> net;
};

const std::string unknown_job = R"({"error":"not_found","message":"no such job"})";
const std::string page = "<html><body>ingress</body></html>";

// A run of 5 jobs with a journal in memory.
class remembered_run : public corpus_run {
public:
    explicit remembered_run(std::size_t rows = 500) : corpus_run(numbered(rows), 100), journal(life) {
        bulk.journal = &journal;
        bulk.on_unknown = unknown_policy::resubmit;
        bulk.max_extra_chunks = 1000;
    }

    static std::vector<std::string> numbered(std::size_t rows) {
        std::vector<std::string> lines;
        for (std::size_t i = 0; i < rows; ++i) {
            lines.push_back("text " + std::to_string(i));
        }
        return lines;
    }

    void next_process() {
        sink.described = 0;
        sink.expected_rows.reset();
    }

    std::shared_ptr<lifetime> life = std::make_shared<lifetime>();
    memory_journal journal;
};

bool asks_for_job(const std::string& target, std::string_view what) {
    return target.starts_with("/jobs/") && target.find(what) != std::string::npos;
}

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

TEST(BulkLooks, AnOutputThatDoesNotTellItsShapeIsTakenWhereItsLengthFits) {
    false_world w;
    remembered_run run;
    w.net->drop_shape = true;
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
    EXPECT_LE(w.remote->counters().jobs_created, 10U + 8U + 8U);
    EXPECT_EQ(run.journal.count(batch_state::accepted), w.remote->counters().jobs_created);
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
