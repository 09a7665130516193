#include "http/origin.hpp"

#include <gtest/gtest.h>

namespace vembed::http {
namespace {

struct accepted_case {
    std::string_view url;
    bool tls;
    std::string_view host;
    std::string_view port;
    std::string_view host_field;
    std::string_view base_path;
};

TEST(origin, reads_what_requests_need) {
    for (const auto& c : {
             accepted_case{"https://api.example.com", true, "api.example.com", "443", "api.example.com", ""},
             accepted_case{"https://api.example.com/", true, "api.example.com", "443", "api.example.com", ""},
             accepted_case{"https://api.example.com:8443/v1/", true, "api.example.com", "8443", "api.example.com:8443",
                           "/v1"},
             accepted_case{"HTTPS://api.example.com/a/b", true, "api.example.com", "443", "api.example.com", "/a/b"},
             accepted_case{"https://[2001:db8::1]:444", true, "2001:db8::1", "444", "[2001:db8::1]:444", ""},
             accepted_case{"https://192.0.2.7", true, "192.0.2.7", "443", "192.0.2.7", ""},
             accepted_case{"https://x/%7Ea", true, "x", "443", "x", "/%7Ea"},
             accepted_case{"http://localhost", false, "localhost", "80", "localhost", ""},
             accepted_case{"http://LocalHost:81", false, "LocalHost", "81", "LocalHost:81", ""},
             accepted_case{"http://127.0.0.1:8080/base", false, "127.0.0.1", "8080", "127.0.0.1:8080", "/base"},
             accepted_case{"http://127.9.9.9", false, "127.9.9.9", "80", "127.9.9.9", ""},
             accepted_case{"http://[::1]:9", false, "::1", "9", "[::1]:9", ""},
         }) {
        const result<origin> made = origin::parse(c.url);
        ASSERT_TRUE(made) << c.url << ": " << made.error();
        EXPECT_EQ(made->tls, c.tls) << c.url;
        EXPECT_EQ(made->host, c.host) << c.url;
        EXPECT_EQ(made->port, c.port) << c.url;
        EXPECT_EQ(made->host_field, c.host_field) << c.url;
        EXPECT_EQ(made->base_path, c.base_path) << c.url;
    }
}

TEST(origin, says_its_url_again) {
    EXPECT_EQ(origin::parse("https://api.example.com:8443/v1/")->url(), "https://api.example.com:8443/v1");
    EXPECT_EQ(origin::parse("http://[::1]:9/")->url(), "http://[::1]:9");
}

TEST(origin, refuses_whatever_could_send_the_key_elsewhere_or_readable) {
    for (const std::string_view url : {"",
                                       "api.example.com",
                                       "//api.example.com",
                                       "https://",
                                       "https:///path",
                                       "https:api.example.com",
                                       "ftp://x",
                                       "file:///etc/passwd",
                                       "wss://x",
                                       "javascript:1",
                                       "https://x?y=1",
                                       "https://x#y",
                                       "https://x/?",
                                       "https://x/#",
                                       "https://x:0",
                                       "https://x:65536",
                                       "https://x:99999999999",
                                       "https://x:-1",
                                       "https://x:port",
                                       "https://x:0",
                                       "https://x:65536",
                                       "http://localhost:99999",
                                       "https://x:4294967739",
                                       "https://a b",
                                       "https://a\r\nX: y",
                                       "https://a/\r\nb",
                                       "https://[::1",
                                       "https://[zz]",
                                       "http://api.example.com",
                                       "http://localhost.example.com",
                                       "http://127.0.0.1.example.com",
                                       "http://example.com:127",
                                       "http://10.0.0.1",
                                       "http://0.0.0.0",
                                       "http://[2001:db8::1]",
                                       "http://[::]"}) {
        const result<origin> made = origin::parse(url);
        ASSERT_FALSE(made) << url;
        EXPECT_EQ(made.error().kind, errc::invalid_argument) << url;
    }
}

TEST(origin, does_not_repeat_a_password) {
    for (const std::string_view url : {"https://user:hunter2@x", "https://hunter2@x", "http://hunter2@localhost"}) {
        const result<origin> made = origin::parse(url);
        ASSERT_FALSE(made) << url;
        EXPECT_EQ(made.error().kind, errc::invalid_argument);
        EXPECT_EQ(made.error().describe().find("hunter2"), std::string::npos);
    }
}

TEST(origin, refuses_a_key_in_the_wrong_place_without_flooding_the_message) {
    const result<origin> made = origin::parse("gopher://" + std::string(100'000, 'x'));
    ASSERT_FALSE(made);
    EXPECT_LT(made.error().message.size(), 500u);
}

TEST(origin, is_the_same_place_if_scheme_host_and_port_are) {
    const auto same = [](std::string_view a, std::string_view b) {
        return origin::parse(a, plain_http::anywhere)->same_place(*origin::parse(b, plain_http::anywhere));
    };
    EXPECT_TRUE(same("https://a.example/x", "https://A.example:443"));
    EXPECT_FALSE(same("https://a.example", "http://a.example"));
    EXPECT_FALSE(same("https://a.example", "https://a.example:444"));
    EXPECT_FALSE(same("https://a.example", "https://b.a.example"));
}

TEST(split_url, keeps_path_and_query_byte_for_byte) {
    struct split_case {
        std::string_view url;
        std::string_view at;
        std::string_view target;
    };
    for (const auto& c : {
             split_case{"https://s.example/b/k?X-Amz-Signature=a%2Fb", "https://s.example",
                        "/b/k?X-Amz-Signature=a%2Fb"},
             split_case{"https://s.example:8443/a//b/../%7e%2f?x=1&&y", "https://s.example:8443",
                        "/a//b/../%7e%2f?x=1&&y"},
             split_case{"https://s.example", "https://s.example", "/"},
             split_case{"https://s.example?x=1", "https://s.example", "/?x=1"},
             split_case{"https://s.example/a#part?x", "https://s.example", "/a"},
             split_case{"http://10.0.0.1:9/a|b{c}\"d", "http://10.0.0.1:9", "/a|b{c}\"d"},
         }) {
        const result<located_url> split = split_url(c.url, plain_http::anywhere);
        ASSERT_TRUE(split) << c.url << ": " << split.error();
        EXPECT_EQ(split->at.url(), c.at);
        EXPECT_EQ(split->target, c.target);
    }
}

TEST(split_url, refuses_what_leads_nowhere_and_quotes_no_signature) {
    for (const std::string& url :
         {std::string(), std::string("/b/k?signed"), std::string("ftp://s.example/k?signed"),
          std::string("https://u:p@s.example/k?signed"), std::string("https:///k?signed"),
          std::string("https://s.example:0/k?signed"), std::string("https://s.example/a b?signed"),
          std::string("https://s.example/\r\nX: signed"), std::string("https://s.example/\xc3\xa4?signed"),
          "https://s.example/" + std::string(17'000, 'a') + "?signed"}) {
        const result<located_url> split = split_url(url, plain_http::anywhere);
        ASSERT_FALSE(split) << url;
        EXPECT_EQ(split.error().kind, errc::invalid_argument);
        EXPECT_EQ(split.error().message.find("signed"), std::string::npos) << split.error().message;
    }
    EXPECT_FALSE(split_url("http://s.example/k", plain_http::this_machine));
    EXPECT_TRUE(split_url("http://127.0.0.1/k", plain_http::this_machine));
}

}  // namespace
}  // namespace vembed::http
