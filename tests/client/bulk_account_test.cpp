// Nothing is submitted before the service itself has answered for the account.

#include "support/falsifier.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

const std::string sign_in = "<html><body>Sign in to the network</body></html>";

class seen_answer {
public:
    canned instead;
    std::string named;  ///< What the message says was seen.
};

// Whoever answers GET /account so answers everything so.
TEST(BulkAccount, NothingIsSubmittedWhereSomethingElseAnswers) {
    const std::vector<seen_answer> answers = {
        {canned(200, sign_in), "HTTP 200 and a web page"},
        {canned(404, sign_in), "HTTP 404 and a web page"},
        {canned(403, sign_in), "HTTP 403 and a web page"},
        {canned(401, sign_in), "HTTP 401 and a web page"},
        {canned(500, sign_in), "HTTP 500 and a web page"},
        {canned(502, ""), "HTTP 502 and an empty body"},
        {canned(503, sign_in), "HTTP 503 and a web page"},
        {canned(429, sign_in), "HTTP 429 and a web page"},
        {canned(302, "", {{"Location", "https://portal.test/login"}}), "HTTP 302 and a redirect"},
        {canned(200, ""), "HTTP 200 and an empty body"},
        {canned(200, "{}"), "HTTP 200 and JSON that is no account"},
        {canned(200, R"({"status":"login_required","url":"https://portal.test"})"), "JSON that is no account"},
        {canned(200, R"(["account_id"])"), "JSON that is no account"},
        {canned(200, R"({"account_id":"acct)"), "JSON that is no account"},
        {canned(200, "please sign in"), "a text that is no account"},
        {canned(404, R"({"detail":"Not Found"})"), "HTTP 404 and JSON that is no account"},
    };
    for (const seen_answer& answer : answers) {
        false_world w;
        remembered_run run;
        std::uint64_t submissions = 0;
        w.net->answer = [&submissions, &answer](const std::string& target) {
            submissions += target == "/jobs" ? 1 : 0;
            return std::optional(answer.instead);
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_FALSE(report) << answer.named;
        EXPECT_EQ(report.error().kind, errc::network) << report.error();
        EXPECT_FALSE(report.error().lasting);
        EXPECT_NE(report.error().message.find(answer.named), std::string::npos) << report.error().message;
        EXPECT_EQ(submissions, 0U) << answer.named;
        EXPECT_TRUE(run.journal.batches.empty()) << answer.named;
        EXPECT_LE(w.now(), 5min) << answer.named;
        // The network's page goes away.
        w.again();
        run.next_process();
        const result<bulk_report> later = run.in(w);
        ASSERT_TRUE(later) << later.error();
        EXPECT_EQ(later->reason, stop_reason::complete) << answer.named;
    }
}

TEST(BulkAccount, AServiceThatSpeaksForItselfIsSubmittedToWithoutAnAccount) {
    const std::vector<canned> answers = {
        canned(404, R"({"error":"not_found","message":"no such route"})"),
        canned(500, R"({"error":"internal","message":"the account cannot be read"})"),
        canned(200, R"({"limits":{"max_inputs":1000}})"),
        canned(200, R"({"tier":"free"})"),
    };
    for (const canned& answer : answers) {
        false_world w;
        remembered_run run;
        w.net->answer = [&answer](const std::string& target) {
            return target == "/account" ? std::optional(answer) : std::nullopt;
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << answer.body << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete) << answer.body;
    }
}

TEST(BulkAccount, ASingleCallIsNotSubmittedToASignInPageEither) {
    false_world w;
    std::uint64_t submissions = 0;
    w.net->answer = [&submissions](const std::string& target) {
        submissions += target == "/jobs" ? 1 : 0;
        return std::optional(canned(404, sign_in));
    };
    const result<embeddings> got = w.run(w.subject->embed("bge-small-v1.5", {"a", "b"}));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, errc::network) << got.error();
    EXPECT_EQ(submissions, 0U);
}

}  // namespace
}  // namespace vembed::testing
