// Responses in other forms than the documented one, of things that nobody needs or that can be read all the same: every
// row comes, and from a complete response that lacks what is needed only its own job suffers.

#include <boost/json/serialize.hpp>

#include "support/falsifier.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

void expect_whole(remembered_run& run, false_world& w, const std::string& what) {
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << what << ' ' << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << what << ' ' << report->message;
    EXPECT_EQ(report->rows_done, 500U) << what;
    EXPECT_EQ(w.remote->counters().jobs_created, 5U) << what;
    run.expect_true_rows();
}

TEST(BulkForms, AnOutputsHeadMaySayTheSameInOtherWords) {
    const std::pair<std::string, std::string> forms[] = {
        {"X-Cyberian-Shape", "100, 384"}, {"X-Cyberian-Shape", " 100 ,\t384 "}, {"X-Cyberian-Dtype", "Float32"},
        {"X-Cyberian-Dtype", "FLOAT32"},  {"X-Cyberian-Dtype", "<f4"},
    };
    for (const auto& [name, value] : forms) {
        false_world w;
        remembered_run run;
        w.net->rewrite_output_head = [&name = name, &value = value](response_head& head) {
            for (header_field& field : head.headers) {
                field.value = field.name == name ? value : field.value;
            }
        };
        expect_whole(run, w, name + ": " + value);
    }
}

TEST(BulkForms, WhatWasAskedForByItsIdNeedNotNameItself) {
    const std::pair<std::string, std::string> left_out[] = {
        {"/results", "job_id"}, {"/results", "chunk_index"}, {"/wait", "id"}};
    for (const verify_level level : {verify_level::hash, verify_level::receipt, verify_level::offline}) {
        for (const auto& [where, member] : left_out) {
            false_world w;
            remembered_run run;
            run.bulk.verify = level;
            w.net->rewrite = [&where = where, &member = member](const std::string& target, std::string& body) {
                if (!asks_for_job(target, where)) {
                    return;
                }
                boost::json::object response = boost::json::parse(body).as_object();
                response.erase(member);
                if (response.contains("chunks")) {
                    for (boost::json::value& chunk : response.at("chunks").as_array()) {
                        chunk.as_object().erase(member);
                    }
                }
                body = boost::json::serialize(response);
            };
            expect_whole(run, w, where + " without " + member);
        }
    }
}

TEST(BulkForms, AJobThatNamesNoReceiptForEverIsSetAsideAndAskedForOnceMore) {
    false_world w;
    remembered_run run;
    std::string victim;
    const auto without_receipt = [&victim](const std::string& target, std::string& body) {
        if (!target.ends_with("/results")) {
            return;
        }
        boost::json::object results = boost::json::parse(body).as_object();
        const std::string id(results.at("job_id").as_string());
        victim = victim.empty() ? id : victim;
        if (id == victim) {
            results["receipt_id"] = nullptr;
            body = boost::json::serialize(results);
        }
    };
    for (int process = 0; process < 2; ++process) {
        w.net->rewrite = without_receipt;
        const monotonic_time began = w.env->now();
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::faulty_jobs) << report->message;
        ASSERT_EQ(report->jobs_left.size(), 1U);
        EXPECT_EQ(report->jobs_left.front().job_id, victim);
        EXPECT_NE(report->jobs_left.front().reason.find("receipt"), std::string::npos);
        EXPECT_EQ(report->rows_done, 400U);
        EXPECT_LE(w.env->now() - began, 60s);
        EXPECT_LE(w.net->requests, 80U);
        EXPECT_EQ(run.journal.count(batch_state::accepted), 1U);
        run.next_process();
        w.again();
    }
    expect_whole(run, w, "the receipt came at last");
}

}  // namespace
}  // namespace vembed::testing
