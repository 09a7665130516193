#include "client/account/other_keys.hpp"

#include <gtest/gtest.h>

namespace vembed::detail {
namespace {

api_key_info key(std::string id, std::optional<std::string> used = {}, std::optional<std::string> revoked = {}) {
    api_key_info made;
    made.key_id = std::move(id);
    made.last_used_at = std::move(used);
    made.revoked_at = std::move(revoked);
    return made;
}

TEST(OtherKeys, TellWhetherAnybodyElseUsedTheAccount) {
    const std::string own = "cyb_trial_0f1122334455";
    const auto before = use_of_other_keys({key("cyb_trial_0f", "1"), key("cyb_trial_aa", "1")}, own);
    ASSERT_TRUE(before);
    EXPECT_EQ(use_of_other_keys({key("cyb_trial_aa", "1"), key("cyb_trial_0f", "2")}, own), before) << "ours moved";
    EXPECT_NE(use_of_other_keys({key("cyb_trial_aa", "2"), key("cyb_trial_0f", "1")}, own), before);
    EXPECT_NE(use_of_other_keys({key("cyb_trial_aa", "1"), key("cyb_trial_0f"), key("cyb_trial_bb")}, own), before);
}

TEST(OtherKeys, AreNotKnownIfOursCannotBeTold) {
    EXPECT_EQ(use_of_other_keys({}, "cyb_x"), std::nullopt);
    EXPECT_EQ(use_of_other_keys({key("1"), key("2")}, "cyb_x"), std::nullopt);
    EXPECT_EQ(use_of_other_keys({key("1")}, "cyb_x"), "") << "the only one";
    EXPECT_EQ(use_of_other_keys({key("1", "7", "8"), key("2")}, "cyb_x"), "1=7;") << "the only one in force";
    EXPECT_EQ(use_of_other_keys({key("cyb"), key("2")}, "cyb_x"), std::nullopt) << "too short to tell";
}

}  // namespace
}  // namespace vembed::detail
