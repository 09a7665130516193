#include "http/socket/response_reader.hpp"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "response_reading.hpp"
#include "support/vectors.hpp"

namespace vembed::http {
namespace {

using namespace std::string_literals;

// Runs `check` with the response read whole, byte by byte and cut in two at every place.
void in_any_pieces(const std::string& raw, const std::function<void(const reading&)>& check,
                   std::size_t body_limit = std::size_t(-1)) {
    {
        SCOPED_TRACE("whole");
        check(read_whole(raw, body_limit));
    }
    {
        SCOPED_TRACE("bytewise");
        check(read_bytewise(raw, body_limit));
    }
    for (std::size_t cut = 1; cut < raw.size() && !::testing::Test::HasFailure(); ++cut) {
        SCOPED_TRACE("cut at " + std::to_string(cut));
        bool first = true;
        check(read_response(
            raw, [&] { return std::exchange(first, false) ? cut : raw.size(); }, body_limit));
    }
}

void expect_refused(const std::string& raw) {
    SCOPED_TRACE(raw.substr(0, 60));
    in_any_pieces(raw, [](const reading& seen) {
        ASSERT_TRUE(seen.error);
        EXPECT_EQ(seen.error->kind, errc::protocol);
    });
}

TEST(response_reader, a_body_with_a_length) {
    const std::string raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \t\r\n\r\nhelloHTTP";
    in_any_pieces(raw, [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.head.status, 200);
        EXPECT_EQ(seen.framing, body_framing::length);
        EXPECT_EQ(seen.head.content_length, 5u);
        EXPECT_EQ(seen.head.find("x-a"), "b");
        EXPECT_TRUE(seen.keep_alive);
        EXPECT_TRUE(seen.body_complete);
        EXPECT_EQ(seen.body, "hello");
        EXPECT_EQ(seen.left, "HTTP") << "what is behind the response is not touched";
    });
}

TEST(response_reader, a_chunked_body) {
    const std::string raw =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5\r\nhello\r\n1;a=b\r\n,\r\n00A\r\n wide worl\r\n1\r\nd\r\n0\r\nX-Trailer: 1\r\n\r\nrest";
    in_any_pieces(raw, [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.framing, body_framing::chunked);
        EXPECT_FALSE(seen.head.content_length);
        EXPECT_TRUE(seen.body_complete);
        EXPECT_EQ(seen.body, "hello, wide world");
        EXPECT_EQ(seen.left, "rest");
    });
}

TEST(response_reader, an_empty_chunked_body) {
    in_any_pieces("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_TRUE(seen.body_complete);
        EXPECT_EQ(seen.body, "");
    });
}

TEST(response_reader, a_chunked_body_that_fills_its_sink_exactly_is_complete) {
    const std::string raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    in_any_pieces(
        raw,
        [](const reading& seen) {
            ASSERT_FALSE(seen.error) << *seen.error;
            EXPECT_TRUE(seen.body_complete);
            EXPECT_EQ(seen.body, "abcdef");
        },
        6);
    for (const std::size_t limit : {0u, 1u, 3u, 5u}) {
        in_any_pieces(
            raw,
            [](const reading& seen) {
                ASSERT_TRUE(seen.error);
                EXPECT_EQ(seen.error->kind, errc::response_too_large);
                EXPECT_FALSE(seen.body_complete);
            },
            limit);
    }
}

TEST(response_reader, a_body_that_ends_with_the_connection) {
    in_any_pieces("HTTP/1.1 200 OK\r\n\r\nhello", [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.framing, body_framing::until_close);
        EXPECT_FALSE(seen.keep_alive);
        EXPECT_EQ(seen.body, "hello");
    });
}

struct framing_case {
    std::string_view head;
    body_framing framing;
    bool keep_alive;
};

TEST(response_reader, framing_and_keep_alive) {
    for (const auto& c : {
             framing_case{"HTTP/1.1 204 No Content\r\n", body_framing::none, true},
             framing_case{"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n", body_framing::none, true},
             framing_case{"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n", body_framing::none, true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", body_framing::none, true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n", body_framing::none, false},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X, Close\r\n", body_framing::none,
                          false},
             framing_case{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n", body_framing::length, false},
             framing_case{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n", body_framing::length,
                          true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n", body_framing::length, true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n", body_framing::length, true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n", body_framing::length, true},
             framing_case{"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n",
                          body_framing::none, true},
             framing_case{"HTTP/1.1 502 Bad Gateway\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n",
                          body_framing::length, true},
             framing_case{"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 9\r\n",
                          body_framing::length, true},
             framing_case{"HTTP/1.1 200\r\nContent-Length: 1\r\n", body_framing::length, true},
             framing_case{"HTTP/1.1 200 \r\nContent-Length: 1\r\n", body_framing::length, true},
             framing_case{"HTTP/1.1 503\r\n", body_framing::until_close, false},
         }) {
        SCOPED_TRACE(c.head);
        in_any_pieces(std::string(c.head) + "\r\n", [&](const reading& seen) {
            ASSERT_FALSE(seen.error) << *seen.error;
            ASSERT_TRUE(seen.head_complete);
            EXPECT_EQ(seen.framing, c.framing);
            EXPECT_EQ(seen.keep_alive, c.keep_alive);
        });
    }
}

TEST(response_reader, refuses_heads_that_are_not_http) {
    for (const std::string_view head : {"HTTP/2 200 OK\r\n",
                                        "HTTP/1.2 200 OK\r\n",
                                        "HTTP/0.9 200 OK\r\n",
                                        "http/1.1 200 OK\r\n",
                                        "SSH-2.0-x\r\n",
                                        "HTTP/1.1 20 OK\r\n",
                                        "HTTP/1.1 2000 OK\r\n",
                                        "HTTP/1.1 099 Low\r\n",
                                        "HTTP/1.1 600 High\r\n",
                                        "HTTP/1.1 abc OK\r\n",
                                        "HTTP/1.1  200 OK\r\n",
                                        "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n",
                                        "HTTP/1.1 200 OK\r\nNo colon\r\n",
                                        "HTTP/1.1 200 OK\r\n: empty\r\n",
                                        "HTTP/1.1 200 OK\r\nA b: c\r\n",
                                        "HTTP/1.1 200 OK\r\nA : c\r\n",
                                        "HTTP/1.1 200 OK\r\nA: b\x01\r\n",
                                        "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n",
                                        "\r\n\r\n\r\n\r\n\r\nHTTP/1.1 200 OK\r\n",
                                        "\nHTTP/1.1 200 OK\r\n"}) {
        expect_refused(std::string(head) + "\r\n");
    }
    expect_refused("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"s);
}

TEST(response_reader, refuses_chunks_that_are_not_chunks) {
    for (const std::string_view body :
         {"x\r\n", "-1\r\n", "\r\n", "5 \r\nhello\r\n", "5\nhello\r\n0\r\n\r\n", "3\r\nhello\r\n0\r\n\r\n",
          "10000000000000000\r\nx", "g\r\nhello\r\n0\r\n\r\n", "5;;\r\nhello\r\n0\r\n\r\n"}) {
        SCOPED_TRACE(body);
        const std::string raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
        // A short one may be waited for; it must not be taken for a body.
        in_any_pieces(raw, [](const reading& seen) { EXPECT_FALSE(seen.body_complete && !seen.error); });
        EXPECT_TRUE(read_whole(raw + "\r\n\r\n\r\n").error);
    }
}

TEST(response_reader, reads_past_a_few_empty_lines) {
    in_any_pieces("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.body, "ok");
    });
}

TEST(response_reader, reads_past_interim_responses) {
    const std::string raw =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: "
        "2\r\n\r\nok";
    in_any_pieces(raw, [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.head.status, 201);
        EXPECT_FALSE(seen.head.find("Link")) << "belongs to the interim response";
        EXPECT_EQ(seen.body, "ok");
    });
    std::string endless;
    while (endless.size() < 1'100'000) {
        endless += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    EXPECT_TRUE(read_whole(endless).error);
}

// A service that works for a while says so again and again.
TEST(response_reader, hundreds_of_interim_responses_hide_no_response) {
    std::string raw;
    for (int i = 0; i < 500; ++i) {
        raw += i % 2 == 0 ? "HTTP/1.1 102 Processing\r\n\r\n" : "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    }
    const reading seen = read_whole(raw + "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_FALSE(seen.error) << *seen.error;
    EXPECT_EQ(seen.head.status, 201);
    EXPECT_EQ(seen.body, "ok");
}

TEST(response_reader, reads_heads_whose_lines_end_with_lf_alone) {
    for (const std::string raw :
         {"HTTP/1.1 201 Created\nContent-Length: 2\nX-A: b\n\nok", "HTTP/1.1 201\nContent-Length: 2\nX-A: b\n\nok",
          "HTTP/1.1 201 Created\nContent-Length: 2\r\nX-A: b\r\n\r\nok", "HTTP/1.1 201 Created\nX-A: b\n\r\nok",
          "HTTP/1.1 102 P\n\nHTTP/1.1 201 Created\nContent-Length: 2\nX-A: b\n\nok",
          "HTTP/1.1 201 Created\nTransfer-Encoding: chunked\nX-A: b\n\n2\r\nok\r\n0\r\n\r\n"}) {
        in_any_pieces(raw, [](const reading& seen) {
            ASSERT_FALSE(seen.error) << *seen.error;
            EXPECT_EQ(seen.head.status, 201);
            EXPECT_EQ(seen.head.find("X-A"), "b");
            EXPECT_EQ(seen.body, "ok");
        });
    }
    EXPECT_TRUE(read_whole("HTTP/1.1 200 OK\nX: " + std::string(100'000, 'O')).error);
}

TEST(response_reader, an_empty_encoding_and_trailers_are_nothing_to_refuse) {
    const std::string raw =
        "HTTP/1.1 200 OK\r\nContent-Encoding: \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: "
        "1\r\nX-More: 2\r\n\r\n";
    in_any_pieces(raw, [](const reading& seen) {
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.body, "ok");
    });
}

TEST(response_reader, the_head_is_limited_however_it_arrives) {
    const std::string field = "X-Field: " + std::string(87, 'v') + "\r\n";
    for (const std::size_t piece : {std::size_t(1), std::size_t(98), std::size_t(4096), std::size_t(-1)}) {
        SCOPED_TRACE(piece);
        std::string fits = "HTTP/1.1 200 OK\r\n";
        while (fits.size() + field.size() < response_reader::head_limit - 100) {
            fits += field;
        }
        const reading good = read_response(fits + "Content-Length: 0\r\n\r\n", [&] { return piece; });
        ASSERT_FALSE(good.error) << *good.error;
        EXPECT_TRUE(good.head_complete);

        std::string flood = "HTTP/1.1 200 OK\r\n";
        while (flood.size() < 40 * response_reader::head_limit) {
            flood += field;
        }
        const reading flooded = read_response(flood, [&] { return piece; });
        ASSERT_TRUE(flooded.error);
        EXPECT_EQ(flooded.error->kind, errc::protocol);
        EXPECT_GT(flooded.left.size(), flood.size() / 2) << "noticed early";

        EXPECT_TRUE(read_response("HTTP/1.1 200 " + std::string(100'000, 'O'), [&] { return piece; }).error);
        EXPECT_TRUE(read_response("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'O'), [&] { return piece; }).error);
        EXPECT_TRUE(read_response(std::string(100'000, 'H'), [&] { return piece; }).error);
    }
}

// The parser below forgets what it took from the first piece.
TEST(response_reader, the_limit_is_for_the_whole_head_and_not_for_each_piece) {
    const std::string field = "X-Field: " + std::string(87, 'v') + "\r\n";
    std::string head = "HTTP/1.1 200 OK\r\n";
    while (head.size() < response_reader::head_limit + 1000) {
        head += field;
    }
    bool first = true;
    const reading seen = read_response(head + "Content-Length: 0\r\n\r\n",
                                       [&] { return std::exchange(first, false) ? std::size_t(30'000) : head.size(); });
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->kind, errc::protocol);
}

TEST(response_reader, an_unfinished_response_is_never_complete) {
    for (const std::string& raw :
         {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"s,
          "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n"s}) {
        for (std::size_t size = 0; size < raw.size(); ++size) {
            for (const reading& seen : {read_whole(raw.substr(0, size)), read_bytewise(raw.substr(0, size))}) {
                EXPECT_FALSE(seen.error) << size;
                EXPECT_FALSE(seen.body_complete) << size;
            }
        }
        EXPECT_TRUE(read_whole(raw).body_complete);
    }
}

TEST(response_reader, survives_rubbish) {
    std::mt19937_64 random(11);
    const std::string seed = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (int round = 0; round < 20'000; ++round) {
        std::string raw = seed;
        for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
            const std::size_t at = random() % raw.size();
            switch (random() % 3) {
                case 0: raw[at] = static_cast<char>(random()); break;
                case 1: raw.erase(at, 1 + random() % 3); break;
                default: raw.insert(at, raw.substr(random() % raw.size(), random() % 8)); break;
            }
        }
        const std::size_t piece = 1 + random() % 20;
        const reading seen = read_response(raw, [&] { return piece; });
        EXPECT_LE(seen.body.size(), raw.size());
    }
}

// The shared cases that this reader treats otherwise than the parser they come from, and why.
const std::map<std::string, std::string> exceptions = {
    {"RTSP response", "another protocol; only HTTP/1.0 and 1.1 are spoken here"},
    {"multiple transfer-encoding where chunked is not the last one",
     "'identity' is no transfer encoding since RFC 7230, and a body that is still encoded must not be handed on"},
    {"Content-Length reset when no body is received",
     "an answer to HEAD, whose length announces no body; HEAD is never sent, so the 123 bytes are waited for"},
    {"No carriage ret", "lines that end with LF alone are read, as RFC 9112 section 2.2 allows"},
    {"Only LFs present", "lines that end with LF alone are read, as RFC 9112 section 2.2 allows"},
    {"Only LFs present and no body", "lines that end with LF alone are read, as RFC 9112 section 2.2 allows"},
};

// The case's own body is lost in the shared file: it gives none for a response that has one.
constexpr std::string_view body_not_recorded = "Google 301";

// Never read as complete, but refused only by the connection's end, the deadline or the limit of a chunk's head: the
// parser looks for the closing quotation mark beyond the line.
constexpr std::string_view refused_late = "Unbalanced chunk extensions quoting";

// The cases end where their point is made, often before the empty line that ends a head or a chunked body.
reading read_with_end(const std::string& raw, const std::function<std::size_t()>& piece) {
    reading seen = read_response(raw, piece);
    if (!seen.error && !seen.body_complete && seen.framing != body_framing::length) {
        seen = read_response(raw + "\r\n", piece);
    }
    return seen;
}

// All responses of a case, one after another, final ones only.
void expect_accepted(const boost::json::object& c, const std::string& raw, const std::function<std::size_t()>& piece) {
    std::vector<int> statuses;
    std::string body;
    std::string left = raw;
    std::vector<int> wanted;
    for (const auto& status : c.at("statuses").as_array()) {
        if (status.as_int64() >= 200) {
            wanted.push_back(static_cast<int>(status.as_int64()));
        }
    }
    while (statuses.size() < wanted.size() && !left.empty()) {
        const reading seen = read_with_end(left, piece);
        ASSERT_FALSE(seen.error) << *seen.error;
        ASSERT_TRUE(seen.head_complete);
        ASSERT_TRUE(seen.body_complete || seen.framing == body_framing::length);
        statuses.push_back(seen.head.status);
        body += seen.body;
        left = seen.left;
    }
    EXPECT_EQ(statuses, wanted);
    // The cases give bodies as their parser's log shows them, without line feeds.
    std::erase(body, '\n');
    if (c.at("name").as_string() != body_not_recorded) {
        EXPECT_EQ(body, std::string(c.at("body").as_string()));
    }
}

std::string from_base64(std::string_view text) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (const char c : text.substr(0, text.find('='))) {
        bits = bits << 6 | static_cast<unsigned>(digits.find(c));
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 0xff);
        }
    }
    return out;
}

TEST(response_reader, agrees_with_the_shared_cases) {
    VEMBED_NEEDS_VECTORS("http-responses/cases.json");
    const auto cases = testing_support::read_json(testing_support::vector_path("http-responses/cases.json"));
    std::set<std::string> excepted;
    for (const auto& item : cases.as_array()) {
        const auto& c = item.as_object();
        const std::string name(c.at("name").as_string());
        SCOPED_TRACE(name);
        if (exceptions.contains(name)) {
            excepted.insert(name);
            continue;
        }
        const std::string raw = from_base64(std::string_view(c.at("raw_b64").as_string()));
        std::vector<std::function<std::size_t()>> pieces = {[] { return std::size_t(-1); },
                                                            [] { return std::size_t(1); }};
        for (std::size_t size = 2; size < 40; ++size) {
            pieces.emplace_back([size] { return size; });
        }
        for (const auto& piece : pieces) {
            if (!c.at("strict").as_bool()) {
                (void)read_with_end(raw, piece);
            } else if (c.at("error").is_null()) {
                expect_accepted(c, raw, piece);
            } else {
                const reading seen = read_with_end(raw + "\r\n\r\n\r\n", piece);
                EXPECT_TRUE(name == refused_late ? !seen.body_complete : seen.error.has_value());
            }
        }
    }
    EXPECT_EQ(excepted.size(), exceptions.size()) << "an exception without a case";
}

TEST(response_reader, responses_behind_each_other_are_read_one_by_one) {
    const std::string raw =
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nAAAHTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nBBBB"
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nCC";
    std::string left = raw;
    std::string bodies;
    for (const int status : {200, 201, 304, 200}) {
        const reading seen = read_whole(left);
        ASSERT_FALSE(seen.error) << *seen.error;
        EXPECT_EQ(seen.head.status, status);
        bodies += seen.body;
        left = seen.left;
    }
    EXPECT_EQ(bodies, "AAABBBBCC");
    EXPECT_EQ(left, "");
}

}  // namespace
}  // namespace vembed::http
