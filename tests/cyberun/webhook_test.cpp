#include <gtest/gtest.h>

#include <openssl/hmac.h>
#include <vembed/cyberun/webhook.hpp>
#include <vembed/verify/sha256.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;

constexpr wall_time now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;
constexpr std::string_view secret = "whsec_0123456789";
constexpr std::string_view body =
    R"({"event_type":"task.completed","task_id":"t-1","task_status":"completed","task_output":{"a":1},"task_error":"",)"
    R"("timestamp":"2026-01-31T12:00:00Z"})";

std::string signature_for(std::string_view text, std::string_view with = secret) {
    digest made;
    HMAC(EVP_sha256(), with.data(), static_cast<int>(with.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), reinterpret_cast<unsigned char*>(made.data()), nullptr);
    return "sha256=" + to_hex(made);
}

result<webhook_event> verify(std::string_view text, const std::vector<std::string_view>& signatures,
                             const std::vector<std::string_view>& secrets = {secret}, wall_time at = now) {
    return verify_webhook(text, signatures, secrets, at);
}

TEST(cyberun_webhook, of_a_known_key) {
    // RFC 4231, test case 2: the key is used as it is.
    constexpr std::string_view text = "what do ya want for nothing?";
    EXPECT_EQ(signature_for(text, "Jefe"), "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const auto made = verify(text, {signature_for(text, "Jefe")}, {"Jefe"});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, errc::protocol) << "authentic, but no webhook";
    EXPECT_EQ(made.error().message.find("nothing?"), std::string::npos);
    EXPECT_TRUE(made.error().raw_body.empty());
}

TEST(cyberun_webhook, is_read) {
    const std::string signature = signature_for(body);
    const auto made = verify(body, {signature});
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->kind, webhook_kind::completed);
    EXPECT_EQ(made->event_type, "task.completed");
    EXPECT_EQ(made->task_id, "t-1");
    EXPECT_EQ(made->state, task_state::completed);
    EXPECT_EQ(made->output.at("a"), 1);
    EXPECT_EQ(made->timestamp, now);
    EXPECT_EQ(made->dedup_key, "t-1\ntask.completed");
    constexpr std::string_view other =
        R"({"event_type":"task.failed","task_id":7,"task_output":null,"task_error":"e","timestamp":1769860800})";
    const auto failed = verify(other, {signature_for(other)});
    ASSERT_TRUE(failed) << failed.error();
    EXPECT_EQ(failed->kind, webhook_kind::failed);
    EXPECT_EQ(failed->task_id, "7");
    EXPECT_EQ(failed->error_text, "e");
    EXPECT_TRUE(failed->output.is_null());
    EXPECT_EQ(failed->timestamp, now);
}

TEST(cyberun_webhook, signatures) {
    const std::string good = signature_for(body);
    std::string upper = good;
    std::transform(upper.begin() + 7, upper.end(), upper.begin() + 7,
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const std::string changed = good.substr(0, good.size() - 1) + (good.back() == '0' ? "1" : "0");
    const std::string other = signature_for(body, "whsec_other");
    struct row {
        std::vector<std::string_view> signatures;
        std::vector<std::string_view> secrets;
        std::optional<errc> refused;
    };
    const std::string spaced = " " + good + "\t";
    const std::string longer = good + "00";
    const std::string bare = good.substr(7);
    const std::string sha1 = "sha1=" + good.substr(7);
    const std::vector<row> rows{
        {{good}, {secret}, {}},
        {{upper}, {secret}, {}},
        {{spaced}, {secret}, {}},
        {{good}, {"whsec_old", secret}, {}},
        {{good}, {secret, "whsec_old"}, {}},
        {{other}, {"whsec_other"}, {}},
        {{other}, {secret}, errc::unauthorized},
        {{changed}, {secret}, errc::unauthorized},
        {{}, {secret}, errc::unauthorized},
        {{good, good}, {secret}, errc::unauthorized},
        {{""}, {secret}, errc::unauthorized},
        {{"sha256="}, {secret}, errc::unauthorized},
        {{longer}, {secret}, errc::unauthorized},
        {{bare}, {secret}, errc::unauthorized},
        {{sha1}, {secret}, errc::unauthorized},
        {{good}, {"0123456789"}, errc::unauthorized},  // The prefix belongs to the key.
        {{good}, {}, errc::invalid_argument},
        {{good}, {secret, ""}, errc::invalid_argument},
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto made = verify(body, rows[i].signatures, rows[i].secrets);
        ASSERT_EQ(made.has_value(), !rows[i].refused) << i;
        if (!made) {
            EXPECT_EQ(made.error().kind, *rows[i].refused) << i << made.error();
            EXPECT_EQ(made.error().message.find("0123456789"), std::string::npos) << i;
        }
    }
}

TEST(cyberun_webhook, every_changed_byte_is_seen) {
    const std::string signature = signature_for(body);
    for (std::size_t i = 0; i < body.size(); ++i) {
        std::string changed(body);
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_EQ(verify(changed, {signature}).error().kind, errc::unauthorized) << i;
    }
    EXPECT_EQ(verify(std::string(body) + " ", {signature}).error().kind, errc::unauthorized);
}

TEST(cyberun_webhook, the_window_of_replays) {
    const std::string signature = signature_for(body);
    for (const auto& [offset, accepted] :
         {std::pair(0ms, true), std::pair(600'000ms, true), std::pair(600'001ms, false), std::pair(-600'000ms, true),
          std::pair(-600'001ms, false)}) {
        EXPECT_EQ(verify(body, {signature}, {secret}, now + offset).has_value(), accepted) << offset.count();
    }
    webhook_options options;
    options.window = std::chrono::seconds::max();
    const std::string_view one = signature;
    EXPECT_TRUE(verify_webhook(body, {&one, 1}, {&secret, 1}, now + 24h * 365, options));
    options.window = 60s;
    EXPECT_EQ(verify_webhook(body, {&one, 1}, {&secret, 1}, now + 61s, options).error().kind, errc::unauthorized);
    options.body_bytes_max = body.size() - 1;
    EXPECT_EQ(verify_webhook(body, {&one, 1}, {&secret, 1}, now, options).error().kind, errc::response_too_large);
}

TEST(cyberun_webhook, authentic_bodies_of_another_form) {
    for (const std::string_view text : {
             "",
             "[]",
             "{",
             R"({"task_id":"t","timestamp":"2026-01-31T12:00:00Z"})",
             R"({"event_type":"task.completed","timestamp":"2026-01-31T12:00:00Z"})",
             R"({"event_type":"task.completed","task_id":"t"})",
             R"({"event_type":"task.completed","task_id":"t","timestamp":"yesterday"})",
             R"({"event_type":"task.completed","task_id":"t","timestamp":-1})",
             R"({"event_type":"task.completed","task_id":"t","timestamp":1e300})",
             R"({"event_type":"task.completed","task_id":"","timestamp":"2026-01-31T12:00:00Z"})",
         }) {
        const auto made = verify(text, {signature_for(text)});
        ASSERT_FALSE(made) << text;
        EXPECT_EQ(made.error().kind, errc::protocol) << text;
    }
    constexpr std::string_view later =
        R"({"event_type":"task.Archived","task_id":"t","timestamp":"2026-01-31T12:00:00.5"})";
    EXPECT_EQ(verify(later, {signature_for(later)})->kind, webhook_kind::other);
    constexpr std::string_view milliseconds = R"({"event_type":"task.failed","task_id":"t","timestamp":1769860800000})";
    EXPECT_EQ(verify(milliseconds, {signature_for(milliseconds)})->timestamp, now);
}

}  // namespace
}  // namespace vembed::cyberun
