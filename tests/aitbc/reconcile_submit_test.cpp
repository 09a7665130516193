#include "aitbc/wire/reconcile_submit.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;
using verdict_kind = submit_verdict::kind;

constexpr wall_time sent = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;

lost_submit lost() {
    lost_submit made;
    made.sent_at = sent;
    made.lost_at = sent + 30s;
    made.model = "llama";
    return made;
}

job candidate(std::string id, std::optional<wall_time> at, const char* model = "llama", const char* payload = nullptr) {
    job one;
    one.id = std::move(id);
    one.created_at = at;
    if (model != nullptr) {
        one.model = model;
    }
    if (payload != nullptr) {
        one.payload = boost::json::parse(payload);
    }
    return one;
}

struct doubt_row {
    const char* what;
    std::vector<job> jobs;
    bool more;
    verdict_kind wanted;
    std::vector<std::string> ids;
};

TEST(reconcile_submit, decides_only_with_exactly_one_candidate) {
    for (const doubt_row& r : {
             doubt_row{"one", {candidate("a", sent + 1s)}, false, verdict_kind::found, {"a"}},
             doubt_row{"none", {}, false, verdict_kind::in_doubt, {}},
             doubt_row{"two",
                       {candidate("a", sent + 1s), candidate("b", sent + 2s)},
                       false,
                       verdict_kind::in_doubt,
                       {"a", "b"}},
             doubt_row{"the same twice",
                       {candidate("a", sent + 1s), candidate("a", sent + 1s)},
                       false,
                       verdict_kind::found,
                       {"a"}},
             doubt_row{"another model", {candidate("a", sent, "bge")}, false, verdict_kind::in_doubt, {}},
             doubt_row{"no model told", {candidate("a", sent, nullptr)}, false, verdict_kind::found, {"a"}},
             doubt_row{"too early", {candidate("a", sent - 121s)}, false, verdict_kind::in_doubt, {}},
             doubt_row{"the clocks differ", {candidate("a", sent - 120s)}, false, verdict_kind::found, {"a"}},
             doubt_row{"too late", {candidate("a", sent + 151s)}, false, verdict_kind::in_doubt, {}},
             doubt_row{"no time", {candidate("a", {}), candidate("b", {})}, false, verdict_kind::ask_jobs, {"a", "b"}},
             doubt_row{"one with and one without",
                       {candidate("a", sent), candidate("b", {})},
                       false,
                       verdict_kind::ask_jobs,
                       {"b"}},
             doubt_row{
                 "known already", {candidate("known", sent), candidate("a", sent)}, false, verdict_kind::found, {"a"}},
             doubt_row{"asked already", {candidate("asked", {})}, false, verdict_kind::in_doubt, {"asked"}},
             doubt_row{"more pages", {candidate("a", sent + 1s)}, true, verdict_kind::next_page, {}},
             doubt_row{"more pages, but two",
                       {candidate("a", sent), candidate("b", sent)},
                       true,
                       verdict_kind::in_doubt,
                       {"a", "b"}},
             doubt_row{"reaches back",
                       {candidate("a", sent + 1s), candidate("o", sent - 1h)},
                       true,
                       verdict_kind::found,
                       {"a"}},
         }) {
        submit_evidence seen;
        seen.jobs = r.jobs;
        seen.more = r.more;
        seen.known = {"known"};
        seen.asked = {"asked"};
        const submit_verdict verdict = reconcile_submit(lost(), seen);
        EXPECT_EQ(verdict.what, r.wanted) << r.what << ": " << verdict.reason;
        EXPECT_EQ(verdict.ids, r.ids) << r.what;
        EXPECT_FALSE(verdict.reason.empty());
    }
}

TEST(reconcile_submit, compares_payloads_if_they_are_shown) {
    lost_submit one = lost();
    one.payload = boost::json::parse(R"({"model":"llama","prompt":"x"})").get_object();
    for (const auto& [payload, wanted] : {
             std::pair(R"({"prompt":"x","model":"llama","type":"added"})", verdict_kind::found),
             std::pair(R"({"model":"llama","prompt":"y"})", verdict_kind::in_doubt),
             std::pair(R"({"model":"llama"})", verdict_kind::in_doubt),
             std::pair(R"("x")", verdict_kind::in_doubt),
         }) {
        submit_evidence seen;
        seen.jobs = {candidate("a", sent, "llama", payload)};
        EXPECT_EQ(reconcile_submit(one, seen).what, wanted) << payload;
    }
}

TEST(reconcile_submit, a_job_that_two_lost_submissions_may_have_made_decides_neither) {
    submit_evidence seen;
    seen.jobs = {candidate("a", sent)};
    seen.others = {lost()};
    EXPECT_EQ(reconcile_submit(lost(), seen).what, verdict_kind::in_doubt);
    seen.others[0].model = "bge";
    EXPECT_EQ(reconcile_submit(lost(), seen).what, verdict_kind::found);
}

TEST(reconcile_submit, details_are_added_to_what_the_list_told) {
    const job both = with_details(candidate("a", {}), candidate("a", sent, nullptr));
    EXPECT_EQ(both.model, "llama");
    EXPECT_EQ(both.created_at, sent);
}

}  // namespace
}  // namespace vembed::aitbc
