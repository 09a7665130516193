#include <vembed/core/secret.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

namespace vembed {
namespace {

using namespace std::string_literals;

// A file that goes with the test.
class key_file {
public:
    explicit key_file(const std::string& content)
        : path_(std::filesystem::temp_directory_path() / ("vembed-key-" + std::to_string(::getpid()))) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    key_file(const key_file&) = delete;
    key_file& operator=(const key_file&) = delete;
    ~key_file() { std::filesystem::remove(path_); }
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

TEST(secret, takes_visible_ascii_behind_the_prefix) {
    for (const std::string& key :
         {"cyb_"s, "cyb_a"s, "cyb_live_0123456789abcdefABCDEF"s, "cyb_!\"#~"s, "cyb_" + std::string(508, 'k')}) {
        const auto made = secret::from_key(key);
        ASSERT_TRUE(made) << key;
        EXPECT_EQ((*made)->reveal(), key);
    }
}

TEST(secret, refuses_what_could_leave_its_header_or_is_no_key) {
    for (const std::string& key : {""s, "cyb"s, "CYB_abc"s, " cyb_abc"s, "sk-abc"s, "Bearer cyb_abc"s, "cyb_a\rb"s,
                                   "cyb_a\nb"s, "cyb_a\r\nX: y"s, "cyb_a\0b"s, "cyb_a b"s, "cyb_a\tb"s, "cyb_a\x7f"s,
                                   "cyb_\xc3\xa9"s, "cyb_a\n"s, "cyb_" + std::string(509, 'k')}) {
        const auto made = secret::from_key(key);
        ASSERT_FALSE(made) << key;
        EXPECT_EQ(made.error().kind, errc::unauthorized);
        if (key.size() > 4) {
            EXPECT_EQ(made.error().describe().find(key.substr(key.size() - 4)), std::string::npos) << "quotes the key";
        }
    }
}

TEST(secret, takes_keys_of_services_without_a_common_form) {
    for (const std::string& key :
         {"sk-abc"s, "k"s, "eyJhbGciOi.J9." + std::string(3000, 'x'), std::string(4096, 'k')}) {
        const auto made = secret::from_key(key, "");
        ASSERT_TRUE(made) << made.error();
        EXPECT_EQ((*made)->reveal(), key);
    }
    for (const std::string& key : {""s, "a b"s, "a\r\nX: y"s, std::string(4097, 'k')}) {
        EXPECT_FALSE(secret::from_key(key, "")) << key.size();
    }
    const key_file file(std::string(4500, 'k') + "\n");
    EXPECT_FALSE(secret::from_file(file.path(), "")) << "a key is never cut";
}

TEST(secret, reads_the_first_line_of_a_file) {
    for (const std::string& content : {"cyb_abc"s, "cyb_abc\n"s, "cyb_abc\r\n"s, "  cyb_abc \t\n"s, "cyb_abc\nmore\n"s,
                                       "cyb_abc\n" + std::string(5000, 'x')}) {
        const key_file file(content);
        const auto made = secret::from_file(file.path());
        ASSERT_TRUE(made) << content.substr(0, 20);
        EXPECT_EQ((*made)->reveal(), "cyb_abc");
    }
}

TEST(secret, refuses_a_file_without_a_key_and_names_it) {
    for (const std::string& content :
         {""s, "\n"s, "\ncyb_abc\n"s, "  \n"s, "cyb_a\0b\n"s, "password\n"s, "cyb_" + std::string(5000, 'x')}) {
        const key_file file(content);
        const auto made = secret::from_file(file.path());
        ASSERT_FALSE(made) << content.substr(0, 20);
        EXPECT_EQ(made.error().kind, errc::unauthorized);
        EXPECT_NE(made.error().message.find(file.path()), std::string::npos);
        EXPECT_EQ(made.error().message.find("password"), std::string::npos);
    }
}

TEST(secret, a_file_that_cannot_be_read_is_an_io_failure) {
    for (const char* path : {"/nonexistent/key", "/"}) {
        const auto made = secret::from_file(path);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind, errc::io);
        EXPECT_NE(made.error().message.find(path), std::string::npos);
    }
}

TEST(secret, reads_the_environment) {
    constexpr const char* variable = "VEMBED_TEST_KEY";
    ::unsetenv(variable);
    const auto unset = secret::from_environment(variable);
    ASSERT_FALSE(unset);
    EXPECT_EQ(unset.error().kind, errc::unauthorized);
    EXPECT_NE(unset.error().message.find(variable), std::string::npos);

    ::setenv(variable, "cyb_from_environment", 1);
    const auto made = secret::from_environment(variable);
    ASSERT_TRUE(made);
    EXPECT_EQ((*made)->reveal(), "cyb_from_environment");

    for (const char* bad : {"", "cyb_a\n", "nonsense"}) {
        ::setenv(variable, bad, 1);
        const auto refused = secret::from_environment(variable);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, errc::unauthorized);
    }
    ::unsetenv(variable);
}

}  // namespace
}  // namespace vembed
