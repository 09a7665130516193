#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cyberun/download/content_range.hpp"
#include "cyberun/download/file_name.hpp"
#include "cyberun/download/integrity.hpp"
#include "cyberun/download/next_hop.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

TEST(cyberun_content_range, table) {
    using number = std::optional<std::uint64_t>;
    struct row {
        const char* value;
        bool read;
        number first;
        number last;
        number total;
    };
    for (const row& r : {
             row{"bytes 0-99/200", true, 0, 99, 200},
             row{" \tBytes 100-199/200 ", true, 100, 199, 200},
             row{"bytes 5-5/*", true, 5, 5, {}},
             row{"bytes */200", true, {}, {}, 200},
             row{"bytes 0-18446744073709551614/18446744073709551615", true, 0, 18446744073709551614U,
                 18446744073709551615U},
             row{"bytes */*", false, {}, {}, {}},
             row{"bytes 0-200/200", false, {}, {}, {}},
             row{"bytes 9-8/200", false, {}, {}, {}},
             row{"bytes 0-18446744073709551616/*", false, {}, {}, {}},
             row{"bytes 0-99", false, {}, {}, {}},
             row{"bytes=0-99/200", false, {}, {}, {}},
             row{"bytes 0-99/200 x", false, {}, {}, {}},
             row{"bytes -99/200", false, {}, {}, {}},
             row{"bytes 0-/200", false, {}, {}, {}},
             row{"bytes 0/200", false, {}, {}, {}},
             row{"bytes +0-99/200", false, {}, {}, {}},
             row{"bytes 0-99/-200", false, {}, {}, {}},
             row{"bytes 0-99-100/200", false, {}, {}, {}},
             row{"items 0-99/200", false, {}, {}, {}},
             row{"bytes", false, {}, {}, {}},
             row{"bytes ", false, {}, {}, {}},
             row{"", false, {}, {}, {}},
         }) {
        const auto made = parse_content_range(r.value);
        ASSERT_EQ(made.has_value(), r.read) << r.value;
        if (made) {
            EXPECT_EQ(made->first, r.first) << r.value;
            EXPECT_EQ(made->last, r.last) << r.value;
            EXPECT_EQ(made->total, r.total) << r.value;
        }
    }
}

TEST(cyberun_download_url, is_taken_apart_and_stays_as_it_is) {
    struct row {
        const char* url;
        const char* host;
        const char* port;
        const char* host_field;
        const char* target;
    };
    for (const row& r : {
             row{"https://S3.example.com/b/a%2Fb/../x?X-Sig=%2b+a&y=|", "s3.example.com", "443", "S3.example.com",
                 "/b/a%2Fb/../x?X-Sig=%2b+a&y=|"},
             row{"HTTPS://h:8443?q", "h", "8443", "h:8443", "/?q"},
             row{"https://h:/a#f", "h", "443", "h", "/a"},
             row{"https://[2001:DB8::1]:9000/a", "2001:db8::1", "9000", "[2001:DB8::1]:9000", "/a"},
             row{"https://[::1]", "::1", "443", "[::1]", "/"},
         }) {
        const auto made = read_download_url(r.url, {});
        ASSERT_TRUE(made) << r.url << made.error();
        EXPECT_EQ(made->host, r.host);
        EXPECT_EQ(made->port, r.port);
        EXPECT_EQ(made->host_field, r.host_field);
        EXPECT_EQ(made->target, r.target);
    }
    EXPECT_EQ(read_download_url("https://h/a?b#secret", {})->url, "https://h/a?b");
    for (const std::string& wrong :
         {std::string(), std::string("h/a"), std::string("ftp://h/a"), std::string("https:///a"),
          std::string("https://u:pw@h/a"), std::string("https://h\\@g/a"), std::string("https://h:0/a"),
          std::string("https://h:65536/a"), std::string("https://h:1x/a"), std::string("https://h/a b"),
          std::string("https://h/a\r\nX: y"), std::string("https://h/\xc3\xa4"), std::string("https:h"),
          std::string("file:///etc/passwd"), "https://h/" + std::string(16384, 'a')}) {
        const auto made = read_download_url(wrong, {});
        ASSERT_FALSE(made) << wrong;
        EXPECT_EQ(made.error().kind, errc::protocol);
        EXPECT_EQ(made.error().message.find("pw"), std::string::npos);
    }
}

TEST(cyberun_download_url, rules) {
    EXPECT_FALSE(read_download_url("http://h/a", {}));
    hop_rules rules;
    rules.plain_http = true;
    EXPECT_EQ(read_download_url("http://h/a", rules)->port, "80");
    rules.hosts = {"s3.example.com"};
    EXPECT_TRUE(read_download_url("https://S3.example.com:444/a?sig=1", rules));
    const auto refused = read_download_url("https://evil.com/a?sig=1", rules);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("evil.com"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("sig"), std::string::npos);
}

TEST(cyberun_next_hop, table) {
    struct row {
        const char* from;
        const char* location;
        const char* to;  // Empty: refused.
        bool same_origin;
    };
    hop_rules rules;
    rules.plain_http = true;
    for (const row& r : {
             row{"https://h/a/b?q", "https://g/x?s=%2F", "https://g/x?s=%2F", false},
             row{"https://h/a/b?q", "https://H:443/x", "https://H:443/x", true},
             row{"https://h/a/b?q", "https://h:444/x", "https://h:444/x", false},
             row{"https://h/a/b?q", "//g/x", "https://g/x", false},
             row{"https://h/a/b?q", "/x//y/../z?s", "https://h/x//y/../z?s", true},
             row{"https://h/a/b?q", "?s=1", "https://h/a/b?s=1", true},
             row{"https://h/a/b?q", "c", "https://h/a/c", true},
             row{"https://h/a/b?q=/x/", "c/d?e=/../f", "https://h/a/c/d?e=/../f", true},
             row{"https://h/a/b/c", "../d", "https://h/a/d", true},
             row{"https://h/a/b/c", "./../../../d/./e", "https://h/d/e", true},
             row{"https://h/a/b/c", "..", "https://h/a/", true},
             row{"https://h", "c", "https://h/c", true},
             row{"https://h?q", "c", "https://h/c", true},
             row{"http://h/a", "https://h/a", "https://h/a", false},
             row{"http://h/a", "/b", "http://h/b", true},
             row{"https://h/a", "http://h/a", "", false},
             row{"https://h/a", "ftp://h/a", "", false},
             row{"https://h/a", "", "", false},
             row{"https://h/a", "https://u@g/", "", false},
             row{"https://h/a", "/b\tc", "", false},
             row{"https://h/a", "javascript:alert(1)", "", false},
         }) {
        const auto from = read_download_url(r.from, rules);
        ASSERT_TRUE(from) << r.from;
        const auto to = next_hop(http_method::get, *from, r.location, 0, rules);
        ASSERT_EQ(to.has_value(), *r.to != '\0') << r.from << ' ' << r.location;
        if (to) {
            EXPECT_EQ(to->url, r.to);
            EXPECT_EQ(to->same_origin(*from), r.same_origin) << r.to;
        }
    }
}

TEST(cyberun_next_hop, at_most_five_and_only_get) {
    const auto from = read_download_url("https://h/a", {});
    EXPECT_TRUE(next_hop(http_method::get, *from, "/b", 4, {}));
    EXPECT_FALSE(next_hop(http_method::get, *from, "/b", 5, {}));
    EXPECT_FALSE(next_hop(http_method::post, *from, "/b", 0, {}));
}

TEST(cyberun_next_hop, credentials_stay_at_their_origin) {
    const auto kept = without_credentials({{"authorization", "Bearer sk-1"},
                                           {"X-API-KEY", "k"},
                                           {"x-team-id", "t"},
                                           {"Cookie", "c"},
                                           {"Proxy-Authorization", "p"},
                                           {"Range", "bytes=1-"},
                                           {"X-Authorization-Hint", "kept"}});
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[0].name, "Range");
    EXPECT_EQ(kept[1].name, "X-Authorization-Hint");
}

// MD5 and SHA-256 of "hello".
constexpr const char* md5_hex = "\"5d41402abc4b2a76b9719d911017c592\"";
constexpr const char* md5_base64 = "XUFAKrxLKna5cZ2REBfFkg==";
constexpr const char* sha_base64 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

TEST(cyberun_integrity, what_counts) {
    const std::string md5 = md5_base64;
    const std::string sha = sha_base64;
    const std::string etag = md5_hex;
    struct row {
        int status;
        std::vector<header_field> headers;
        digest_basis basis;
    };
    const std::vector<row> rows{
        {200, {}, digest_basis::none},
        {200, {{"content-md5", md5}}, digest_basis::content_md5},
        {206, {{"Content-MD5", md5}}, digest_basis::none},
        {200, {{"Content-MD5", "XUFA"}}, digest_basis::none},
        {200, {{"Content-MD5", md5}, {"Content-MD5", md5}}, digest_basis::none},
        {206, {{"Repr-Digest", "sha-256=:" + sha + ":"}}, digest_basis::repr_digest},
        {200, {{"Repr-Digest", "crc=:aa==:, SHA-256=:" + sha + ":;p"}, {"ETag", etag}}, digest_basis::repr_digest},
        {200, {{"Repr-Digest", "md5=:" + md5 + ":"}}, digest_basis::repr_digest},
        {200, {{"Repr-Digest", "sha-256=:" + md5 + ":"}}, digest_basis::none},
        {200, {{"Repr-Digest", "sha-256=" + sha}, {"Content-MD5", md5}}, digest_basis::content_md5},
        {200, {{"Repr-Digest", "sha-256=:,,,"}}, digest_basis::none},
        {206, {{"ETag", etag}}, digest_basis::etag},
        {200, {{"ETag", "\"5D41402ABC4B2A76B9719D911017C592\""}}, digest_basis::etag},
        {200, {{"ETag", "W/" + etag}}, digest_basis::none},
        {200, {{"ETag", "\"5d41402abc4b2a76b9719d911017c59-2\""}}, digest_basis::none},
        {200, {{"ETag", "\"5d41402abc4b2a76b9719d911017c592-2\""}}, digest_basis::none},
        {200, {{"ETag", "\"5d41402abc4b2a76b9719d911017c59g\""}}, digest_basis::none},
        {200, {{"ETag", "5d41402abc4b2a76b9719d911017c592"}}, digest_basis::none},
        {200, {{"ETag", etag}, {"x-amz-server-side-encryption", "aws:kms"}}, digest_basis::none},
        {200, {{"ETag", etag}, {"x-amz-server-side-encryption", "AES256"}}, digest_basis::etag},
        {200, {{"ETag", etag}, {"x-amz-server-side-encryption-customer-algorithm", "AES256"}}, digest_basis::none},
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const expected_digest made = read_digests(rows[i].status, rows[i].headers);
        EXPECT_EQ(made.basis, rows[i].basis) << i;
        for (const bool right : {true, false}) {
            content_hasher hasher(made);
            EXPECT_EQ(hasher.can_check(), made.basis != digest_basis::none) << i;
            const std::string content = right ? "hello" : "hullo";
            hasher.update(std::as_bytes(std::span(content).first(2)));
            hasher.update(std::as_bytes(std::span(content).subspan(2)));
            const integrity wanted = made.basis == digest_basis::none ? integrity::not_checkable
                                     : right                          ? integrity::verified
                                                                      : integrity::failed;
            EXPECT_EQ(hasher.finish(), wanted) << i;
        }
    }
}

TEST(cyberun_file_name, of_one_output) {
    for (const auto& [id, type, name] : {
             std::tuple("9.images.0", "image/png", "9.images.0.png"),
             std::tuple("output", "video/mp4; codecs=x", "output.mp4"),
             std::tuple("output", "", "output.bin"),
             std::tuple("output", "text/html", "output.bin"),
             std::tuple("output", " IMAGE/JPEG ", "output.jpg"),
             std::tuple("a.PNG", "image/png", "a.PNG"),
             std::tuple("a.part", "image/png", "a.part.png"),
             std::tuple("a.part", "", "a.part.bin"),
             std::tuple(".png", "image/png", "_png.png"),
             std::tuple("../../etc/passwd", "text/plain", "_._.._etc_passwd.txt"),
             std::tuple("..", "", "__.bin"),
             std::tuple("a/b\\c:d e", "", "a_b_c_d_e.bin"),
             std::tuple("gr\xc3\xbc\xc3\x9f", "", "gr____.bin"),
             std::tuple("trailing.", "", "trailing_.bin"),
             std::tuple("", "", "output.bin"),
             std::tuple("CON", "", "_CON.bin"),
             std::tuple("nul.txt", "", "_nul.txt.bin"),
             std::tuple("com1", "text/csv", "_com1.csv"),
             std::tuple("COM10", "", "COM10.bin"),
             std::tuple("conin$", "", "_conin_.bin"),
         }) {
        EXPECT_EQ(file_name_for(id, type), name) << id;
    }
    EXPECT_LE(file_name_for(std::string(5000, 'a'), "model/gltf+json").size(), file_name_bytes_max);
}

TEST(cyberun_file_name, clashes_are_decided_over_all_ids) {
    const std::vector<std::string> ids{
        "a/b", "a_b", "A_B", "c", std::string(300, 'x') + "1", std::string(300, 'x') + "2", "con", "_con"};
    const std::vector<std::string> stems = file_stems(ids);
    std::vector<std::string> lower;
    for (const std::string& stem : stems) {
        lower.push_back(text::lowered(stem));
        EXPECT_LE(file_name(stem, "model/gltf+json").size(), file_name_bytes_max);
    }
    std::sort(lower.begin(), lower.end());
    EXPECT_EQ(std::adjacent_find(lower.begin(), lower.end()), lower.end());
    EXPECT_EQ(stems[3], "c") << "what does not clash stays";
    EXPECT_TRUE(stems[1].starts_with("a_b-")) << "all that clash are marked";
    const std::vector<std::string> backwards(ids.rbegin(), ids.rend());
    const std::vector<std::string> others = file_stems(backwards);
    EXPECT_EQ(std::vector<std::string>(others.rbegin(), others.rend()), stems) << "whatever the order";
    // An id that is the marked name of another one.
    const std::vector<std::string> sly{"a/b", "a_b", stems[0]};
    const std::vector<std::string> made = file_stems(sly);
    EXPECT_NE(made[0], made[2]);
    EXPECT_NE(made[0], made[1]);
    EXPECT_NE(made[1], made[2]);
    // Names that only an extension would tell apart, which they may both get.
    const std::vector<std::string> ended{"a", "a.PNG", "a.png.jpg", "a.bin", "b.part", "b"};
    std::vector<std::string> whole;
    for (const char* first : {"image/png", "image/jpeg", ""}) {
        for (const char* second : {"image/png", "image/jpeg", ""}) {
            whole.clear();
            for (const std::string& stem : file_stems(ended)) {
                whole.push_back(text::lowered(file_name(stem, whole.size() % 2 == 0 ? first : second)));
            }
            std::sort(whole.begin(), whole.end());
            EXPECT_EQ(std::adjacent_find(whole.begin(), whole.end()), whole.end()) << first << second;
        }
    }
    EXPECT_EQ(file_stems(ended)[5], "b");
    const std::vector<std::string> twice{"a", "a"};
    EXPECT_EQ(file_stems(twice), twice);
    EXPECT_TRUE(file_stems({}).empty());
}

}  // namespace
}  // namespace vembed::cyberun
