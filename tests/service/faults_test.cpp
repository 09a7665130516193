// Faults strike as planned, and the same way every time.

#include <bit>
#include <cstring>

#include <gtest/gtest.h>

#include "service/service_driver.hpp"
#include "text/http_date.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

testing::service_options with(const std::string& faults) {
    testing::service_options options;
    options.faults = testing::fault_rates::parse(faults).value();
    return options;
}

// All that a caller can see of a conversation.
std::string transcript(std::uint64_t seed) {
    testing::service_options options = with(
        "drop=0.2,delay=0.2,truncate=0.2,rate_limited=0.1,retry_after_date=0.3,busy=0.1,inflight=0.1,bad_gateway=0.1,"
        "empty_error=0.1,"
        "failed_chunk=0.1,refund=0.1,wrong_shape=0.2,corrupt=0.2,invalid_receipt=0.3");
    options.seed = seed;
    options.settle_delay_ms = 100;
    service_driver driver(options);
    std::string seen;
    const auto note = [&](const testing::service_response& response) {
        seen += std::to_string(response.status) + ' ' + response.text + ' ';
        for (const header_field& header : response.headers) {
            seen += header.name + '=' + header.value + ' ';
        }
        seen +=
            response.cut_after ? std::to_string(*response.cut_after) + (response.cut_with_reset ? "r " : "f ") : "- ";
        for (const std::byte byte : response.output) {
            seen += static_cast<char>(byte);
        }
        seen += std::to_string(driver.now.time_since_epoch().count()) + '\n';
    };
    for (int i = 0; i < 60; ++i) {
        const auto arrival = driver.service.arrive(1000);
        seen += arrival.cut_request_after ? std::to_string(*arrival.cut_request_after) : "-";
        const auto submitted = driver.submit(3);
        note(submitted);
        if (submitted.status == 201) {
            const std::string path = "/jobs/" + id_of(submitted);
            for (const char* what : {"/wait", "/results", "/output"}) {
                note(driver.ask("GET", path + what));
            }
        }
    }
    return seen;
}

TEST(faults, are_the_same_for_the_same_seed_and_calls) {
    const std::string first = transcript(1);
    EXPECT_EQ(first, transcript(1));
    EXPECT_NE(first, transcript(2));
}

TEST(faults, retry_after_is_whole_seconds_unless_told_otherwise) {
    service_driver driver(with("rate_limited=0.4,busy=0.4,inflight=1,retry_after_s_max=5"));
    for (int i = 0; i < 300; ++i) {
        const auto response = driver.submit(1);
        ASSERT_TRUE(response.status == 429 || response.status == 503) << response.status;
        const std::string value = header_of(response, "Retry-After").value();
        ASSERT_TRUE(value.size() == 1 && value[0] >= '1' && value[0] <= '5') << value;
    }
    EXPECT_EQ(driver.ask("GET", "/health").status, 200);
}

TEST(faults, retry_after_is_a_date_as_often_as_told) {
    service_driver driver(with("rate_limited=0.5,busy=1,retry_after_date=0.3"));
    int dates = 0;
    for (int i = 0; i < 300; ++i) {
        const std::string value = header_of(driver.ask("GET", "/models"), "Retry-After").value();
        dates += value.find(':') != std::string::npos ? 1 : 0;
    }
    EXPECT_NEAR(dates, 90, 40);
}

// Not only what a fault refuses.
TEST(faults, retry_after_of_a_limit_is_a_date_too) {
    testing::service_options options = with("retry_after_date=1");
    options.chunks_per_minute = 1;
    service_driver driver(options);
    EXPECT_EQ(driver.submit(1).status, 201);
    const auto refused = driver.submit(1);
    EXPECT_EQ(error_of(refused), "rate_limited");
    const auto until = text::parse_http_date(header_of(refused, "Retry-After").value(), driver.wall);
    ASSERT_TRUE(until);
    EXPECT_EQ(*until - driver.wall, 60s);
}

TEST(faults, each_gives_its_response) {
    const struct {
        const char* faults;
        int status;
        const char* error;
    } cases[] = {{"busy=1", 503, "service_busy"}, {"inflight=1", 429, "too_many_inflight"}};
    for (const auto& c : cases) {
        service_driver driver(with(c.faults));
        const auto response = driver.submit(1);
        EXPECT_EQ(response.status, c.status);
        EXPECT_EQ(error_of(response), c.error);
        EXPECT_TRUE(header_of(response, "Retry-After"));
        EXPECT_EQ(driver.service.counters().jobs_created, 0u);
    }
    service_driver proxy(with("bad_gateway=1"));
    EXPECT_EQ(proxy.ask("GET", "/models").status, 502);
    EXPECT_EQ(header_of(proxy.ask("GET", "/models"), "Content-Type"), "text/html");
    service_driver empty(with("empty_error=1"));
    EXPECT_EQ(empty.ask("GET", "/models").status, 500);
    EXPECT_TRUE(empty.ask("GET", "/models").body().empty());
}

TEST(faults, a_proxys_error_leaves_open_whether_the_job_was_taken) {
    service_driver driver(with("bad_gateway=1"));
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(driver.submit(1).status, 502);
    }
    EXPECT_NEAR(static_cast<double>(driver.service.counters().jobs_created), 100, 40);
}

TEST(faults, a_drop_cuts_either_the_request_or_the_response) {
    service_driver driver(with("drop=1"));
    int in_request = 0;
    for (int i = 0; i < 200; ++i) {
        const auto arrival = driver.service.arrive(1000);
        testing::service_request request;
        request.method = "GET";
        request.target = "/health";
        if (arrival.cut_request_after) {
            EXPECT_LT(*arrival.cut_request_after, 1000u);
            ++in_request;
        } else {
            EXPECT_TRUE(driver.service.handle(arrival.ordinal, request, driver.now, driver.wall).cut_after);
        }
    }
    EXPECT_NEAR(in_request, 100, 40);
}

TEST(faults, a_delayed_response_is_acted_on_once) {
    service_driver driver(with("delay=1,delay_ms_max=500"));
    const monotonic_time begin = driver.now;
    EXPECT_EQ(driver.submit(1).status, 201);
    EXPECT_GT(driver.now, begin);
    EXPECT_LE(driver.now - begin, 500ms);
    EXPECT_EQ(driver.service.counters().jobs_created, 1u);
}

TEST(faults, outputs_are_spoilt_one_way_each) {
    service_driver good;
    const auto right = good.ask("GET", "/jobs/" + id_of(good.submit(3)) + "/output");
    service_driver corrupt(with("corrupt=1"));
    const auto flipped = corrupt.ask("GET", "/jobs/" + id_of(corrupt.submit(3)) + "/output");
    ASSERT_EQ(flipped.body().size(), right.body().size());
    int bits = 0;
    for (std::size_t i = 0; i < right.body().size(); ++i) {
        bits += std::popcount(std::to_integer<unsigned>(right.body()[i] ^ flipped.body()[i]));
    }
    EXPECT_EQ(bits, 1);
    service_driver shape(with("wrong_shape=1"));
    EXPECT_EQ(header_of(shape.ask("GET", "/jobs/" + id_of(shape.submit(3)) + "/output"), "X-Cyberian-Shape"), "4,384");
    service_driver cut(with("truncate=1"));
    const auto shortened = cut.ask("GET", "/jobs/" + id_of(cut.submit(3)) + "/output");
    ASSERT_TRUE(shortened.cut_after);
    EXPECT_LT(*shortened.cut_after, shortened.body().size());
}

TEST(faults, a_failed_job_names_its_failed_chunks) {
    testing::service_options options = with("failed_chunk=1");
    options.chunk_size = 1;
    service_driver driver(options);
    const std::string path = "/jobs/" + id_of(driver.submit(20));
    EXPECT_EQ(json_of(driver.ask("GET", path)).at("status").as_string(), "FAILED");
    int failed = 0;
    const auto results = json_of(driver.ask("GET", path + "/results"));
    for (const auto& chunk : results.at("chunks").as_array()) {
        failed += chunk.at("status").as_string() == "FAILED" ? 1 : 0;
        EXPECT_EQ(chunk.at("status").as_string() == "FAILED", chunk.at("output_commitment").is_null());
    }
    EXPECT_GE(failed, 1);
    EXPECT_LT(failed, 20);
    EXPECT_EQ(driver.ask("GET", path + "/output").status, 409);
}

TEST(faults, a_receipt_can_be_called_invalid) {
    service_driver driver(with("invalid_receipt=1"));
    const std::string id = id_of(driver.submit(1));
    const std::string receipt(json_of(driver.ask("GET", "/jobs/" + id)).at("receipt_id").as_string());
    const auto verification = json_of(driver.ask("GET", "/receipts/" + receipt + "/verify"));
    EXPECT_FALSE(verification.at("valid").as_bool());
    EXPECT_FALSE(verification.at("errors").as_array().empty());
}

}  // namespace
}  // namespace vembed
