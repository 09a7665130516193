// Any bytes get an answer.

#include <random>

#include <gtest/gtest.h>

#include "service/service_driver.hpp"

namespace vembed {
namespace {

bool is_documented(int status) {
    const int known[] = {200, 201, 400, 401, 402, 404, 405, 409, 413, 422, 429, 503, 504};
    return std::find(std::begin(known), std::end(known), status) != std::end(known);
}

class rubbish : public ::testing::Test {
protected:
    std::mt19937 random_{7};

    std::string bytes(std::size_t size_max) {
        std::string text(random_() % size_max, ' ');
        std::generate(text.begin(), text.end(), [this] { return static_cast<char>(random_()); });
        return text;
    }

    // A few bytes of `text` changed, dropped or doubled.
    std::string damaged(std::string text) {
        for (std::uint32_t changes = 1 + random_() % 4; changes > 0 && !text.empty(); --changes) {
            const std::size_t at = random_() % text.size();
            switch (random_() % 4) {
                case 0: text[at] = static_cast<char>(random_()); break;
                case 1: text.erase(at, 1 + random_() % 3); break;
                case 2: text.insert(at, text.substr(at, random_() % 8)); break;
                default: text.resize(at); break;
            }
        }
        return text;
    }

    testing::service_response ask(service_driver& driver, const std::string& method, const std::string& target,
                                  const std::string& authorization, const std::string& body) {
        testing::service_request request;
        request.method = method;
        request.target = target;
        request.authorization = authorization;
        request.body = body;
        return driver.service.handle(driver.service.arrive(0).ordinal, request, driver.now, driver.wall);
    }
};

TEST_F(rubbish, in_every_part_of_a_request_is_refused) {
    service_driver driver;
    for (int i = 0; i < 20'000; ++i) {
        const auto response = ask(driver, bytes(8), bytes(40), bytes(30), bytes(60));
        ASSERT_EQ(response.status, 401);
    }
    const std::string good = "Bearer " + driver.key;
    for (int i = 0; i < 20'000; ++i) {
        ASSERT_TRUE(is_documented(ask(driver, i % 2 == 0 ? "GET" : "POST", '/' + bytes(40), good, bytes(60)).status));
    }
}

TEST_F(rubbish, near_good_requests_is_answered) {
    testing::service_options options;
    options.chunks_per_minute = 100'000'000;
    options.chunks_per_day = 100'000'000;
    service_driver driver(options);
    const std::string good = "Bearer " + driver.key;
    const std::string job = id_of(driver.submit(1));
    const std::string targets[] = {"/jobs/" + job,
                                   "/jobs/" + job + "/wait?max_wait=5",
                                   "/jobs/" + job + "/results",
                                   "/jobs/" + job + "/output",
                                   "/receipts/rcp_1/verify",
                                   "/account",
                                   "/models"};
    const std::string bodies[] = {
        R"({"model":"bge-small-v1.5","inputs":["one \u00e9 text","two"]})",
        R"({"spec_yaml":"model: bge-small-v1.5\nchunking:\n  chunk_size: 2\n","input_texts":["a","b"]})",
        R"({"model":"bge-small-v1.5","inputs":["a"],"claimed_output_commitment":"00"})",
        R"({"key_id":"0123456789ab"})"};
    for (int i = 0; i < 20'000; ++i) {
        const std::string& target = targets[random_() % std::size(targets)];
        ASSERT_TRUE(is_documented(ask(driver, "GET", damaged(target), good, "").status)) << target;
        const char* const posts[] = {"/jobs", "/verify", "/auth/keys/revoke"};
        const char* const post = posts[random_() % std::size(posts)];
        const std::string body = damaged(bodies[random_() % std::size(bodies)]);
        const auto response = ask(driver, "POST", post, good, body);
        ASSERT_TRUE(is_documented(response.status)) << body;
        if (response.status != 201 && response.status != 200) {
            ASSERT_NO_THROW(error_of(response)) << response.text;
        }
    }
}

TEST_F(rubbish, bodies_of_bare_nesting_do_not_exhaust_the_stack) {
    service_driver driver;
    for (const char* open : {"[", "{\"a\":", "{\"inputs\":["}) {
        std::string body;
        for (int i = 0; i < 200'000; ++i) {
            body += open;
        }
        EXPECT_EQ(driver.ask("POST", "/jobs", body).status, 400);
    }
}

TEST_F(rubbish, asking_again_for_a_forgotten_ordinal_is_a_new_request) {
    service_driver driver;
    testing::service_request request;
    request.method = "GET";
    request.target = "/health";
    EXPECT_EQ(driver.service.handle(12345, request, driver.now, driver.wall).status, 200);
}

}  // namespace
}  // namespace vembed
