#include <vembed/verify/pins.hpp>

#include <gtest/gtest.h>

namespace vembed {
namespace {

TEST(scheme_pins, of_nobody_are_empty) {
    const scheme_pins pins;
    EXPECT_EQ(pins.of("acc_1"), account_pins());
    EXPECT_FALSE(pins.of("acc_1").pinned(pin_kind::inputs_root));
    EXPECT_EQ(pins.to_json(), R"({"vembed_pins":1,"accounts":{}})");
    EXPECT_EQ(scheme_pins::from_json(pins.to_json()).value(), pins);
}

TEST(scheme_pins, have_a_json_text) {
    account_pins one;
    one.set(pin_kind::outputs_root, {"leaf-00/node-01/rfc6962", "leaf-00/node-01/duplicate"});
    one.set(pin_kind::receipt_hash, {"jcs/without-receipt_hash"});
    one.set(pin_kind::inputs_root, {"a scheme of another version"});
    scheme_pins pins;
    EXPECT_TRUE(pins.set("z \"\u00e9", account_pins()));
    EXPECT_TRUE(pins.set("acc_1", one));
    const std::string text = R"({"vembed_pins":1,"accounts":{"acc_1":{"receipt_hash":["jcs/without-receipt_hash"],)"
                             R"("inputs_root":["a scheme of another version"],)"
                             R"("outputs_root":["leaf-00/node-01/rfc6962","leaf-00/node-01/duplicate"]},"z \"é":{}}})";
    EXPECT_EQ(pins.to_json(), text);
    const auto read = scheme_pins::from_json(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, pins);
    EXPECT_TRUE(read->of("acc_1").pinned(pin_kind::receipt_hash));
    EXPECT_FALSE(read->of("acc_1").pinned(pin_kind::outputs_root));
    EXPECT_EQ(scheme_pins::from_json(" " + text + "\n").value(), pins);
    EXPECT_EQ(pins.accounts(), (std::vector<std::string>{"acc_1", "z \"\u00e9"}));
}

TEST(scheme_pins, take_only_what_can_be_read_back) {
    account_pins good;
    good.set(pin_kind::inputs_root, {"leaf-00/node-01/rfc6962"});
    account_pins doubled;
    doubled.set(pin_kind::inputs_root, {"x", "x"});
    account_pins many;
    many.set(pin_kind::inputs_root, std::vector<std::string>(scheme_pins::names_max + 1, "x"));
    account_pins broken;
    broken.set(pin_kind::inputs_root, {"\xff"});
    scheme_pins pins;
    ASSERT_TRUE(pins.set("acc_1", good));
    const scheme_pins before = pins;
    for (const auto& [id, bad] :
         {std::pair("acc_1", doubled), {"acc_1", many}, {"acc_1", broken}, {"\xed\xa0\x80", good}}) {
        const auto kept = pins.set(id, bad);
        ASSERT_FALSE(kept);
        EXPECT_EQ(kept.error().kind, errc::invalid_argument);
        EXPECT_EQ(pins, before);
    }
    EXPECT_FALSE(pins.set(std::string(scheme_pins::name_bytes_max + 1, 'a'), good));
    ASSERT_TRUE(pins.set("acc_1", account_pins()));
    EXPECT_EQ(pins.of("acc_1"), account_pins());
}

struct refused_case {
    std::string text;
    std::string_view complaint;
};

TEST(scheme_pins, refuse_what_they_cannot_keep) {
    const auto account = [](const std::string& kinds) {
        return R"({"vembed_pins":1,"accounts":{"a":{)" + kinds + "}}}";
    };
    std::string many;
    for (std::size_t i = 0; i <= scheme_pins::names_max; ++i) {
        many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
    }
    for (const auto& c : {
             refused_case{"", "no canonical form"},
             refused_case{"[]", "it must be"},
             refused_case{"{}", "it must be"},
             refused_case{R"({"vembed_pins":2,"accounts":{}})", "it must be"},
             refused_case{R"({"vembed_pins":"1","accounts":{}})", "it must be"},
             refused_case{R"({"vembed_pins":1,"accounts":[]})", "it must be"},
             refused_case{R"({"vembed_pins":1,"accounts":{},"more":1})", "it must be"},
             refused_case{R"({"vembed_pins":1,"accounts":{"a":[]}})", "needs an object"},
             refused_case{R"({"vembed_pins":1,"accounts":{"a":{},"a":{}}})", "same key twice"},
             refused_case{R"({"vembed_pins":1,"accounts":{")" + std::string(257, 'a') + R"(":{}}})", "longer than 256"},
             refused_case{account(R"("proof_root":["x"])"), "kind that this version does not know"},
             refused_case{account(R"("inputs_root":[])"), "list of 1 to 64"},
             refused_case{account(R"("inputs_root":"x")"), "list of 1 to 64"},
             refused_case{account(R"("inputs_root":[)" + many + "]"), "list of 1 to 64"},
             refused_case{account(R"("inputs_root":[1])"), "1 to 256 bytes"},
             refused_case{account(R"("inputs_root":[""])"), "1 to 256 bytes"},
             refused_case{account(R"("inputs_root":[")" + std::string(257, 'n') + R"("])"), "1 to 256 bytes"},
             refused_case{account(R"("inputs_root":["x","x"])"), "listed twice"},
             refused_case{std::string(scheme_pins::text_bytes_max + 1, ' '), "longer than"},
             refused_case{R"({"vembed_pins":1,"accounts":)" + std::string(40, '[') + std::string(40, ']') + "}",
                          "it must be"},
             refused_case{R"({"vembed_pins":1,"accounts":)" + std::string(80, '[') + std::string(80, ']') + "}",
                          "no canonical form"},
         }) {
        const auto read = scheme_pins::from_json(c.text);
        ASSERT_FALSE(read) << c.text.substr(0, 200);
        EXPECT_EQ(read.error().kind, errc::invalid_argument);
        EXPECT_NE(read.error().message.find(c.complaint), std::string::npos) << read.error().message;
    }
}

account_pins with(pin_kind kind, std::vector<std::string> names) {
    account_pins pins;
    pins.set(kind, std::move(names));
    return pins;
}

TEST(narrowed, keeps_what_both_have_and_what_only_one_has) {
    const struct {
        std::vector<std::string> known;
        std::vector<std::string> news;
        std::vector<std::string> both;
    } cases[] = {
        {{}, {}, {}},
        {{}, {"a", "b"}, {"a", "b"}},
        {{"a", "b"}, {}, {"a", "b"}},
        {{"a", "b", "c"}, {"c", "b"}, {"b", "c"}},
        {{"a"}, {"a", "b"}, {"a"}},
        {{"a"}, {"b"}, {"a"}},
    };
    for (const auto& c : cases) {
        const account_pins both = narrowed(with(pin_kind::inputs_root, c.known), with(pin_kind::inputs_root, c.news));
        EXPECT_EQ(both.candidates(pin_kind::inputs_root), c.both);
        EXPECT_TRUE(both.candidates(pin_kind::receipt_hash).empty());
    }
    const account_pins two = narrowed(with(pin_kind::inputs_root, {"a"}), with(pin_kind::receipt_hash, {"h"}));
    EXPECT_TRUE(two.pinned(pin_kind::inputs_root));
    EXPECT_TRUE(two.pinned(pin_kind::receipt_hash));
}

}  // namespace
}  // namespace vembed
