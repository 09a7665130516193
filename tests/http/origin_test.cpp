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

TEST(origin, takes_plain_http_anywhere_if_no_key_goes_there) {
    EXPECT_FALSE(origin::parse("http://10.0.0.1:9"));
    const result<origin> made = origin::parse("http://10.0.0.1:9", plain_http::anywhere);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->url(), "http://10.0.0.1:9");
}

}  // namespace
}  // namespace vembed::http
