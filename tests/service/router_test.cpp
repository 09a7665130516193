#include "service/endpoints/router.hpp"

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

struct found_case {
    const char* method;
    const char* target;
    endpoint to;
    const char* id;
    const char* query;
};

TEST(router, finds_every_endpoint) {
    const found_case cases[] = {
        {"GET", "/health", endpoint::health, "", ""},
        {"GET", "/models", endpoint::models, "", ""},
        {"POST", "/jobs", endpoint::submit_job, "", ""},
        {"GET", "/jobs/j1", endpoint::job, "j1", ""},
        {"GET", "/jobs/wait", endpoint::job, "wait", ""},
        {"GET", "/jobs/j1/wait?max_wait=3", endpoint::wait_job, "j1", "max_wait=3"},
        {"GET", "/jobs/j1/results", endpoint::job_results, "j1", ""},
        {"GET", "/jobs/j1/output?", endpoint::job_output, "j1", ""},
        {"POST", "/verify", endpoint::verify, "", ""},
        {"GET", "/receipts/r1", endpoint::receipt, "r1", ""},
        {"GET", "/receipts/r1/verify", endpoint::verify_receipt, "r1", ""},
        {"GET", "/account", endpoint::account, "", ""},
        {"POST", "/auth/keys/rotate", endpoint::rotate_key, "", ""},
        {"POST", "/auth/keys/revoke", endpoint::revoke_key, "", ""},
        {"GET", "/jobs/a%2Fb%20c", endpoint::job, "a/b c", ""},
        {"GET", "http://host:1/health?x", endpoint::health, "", "x"},
    };
    for (const found_case& c : cases) {
        const answer<route> found = find_route(c.method, c.target);
        ASSERT_TRUE(found) << c.target;
        EXPECT_EQ(found->to, c.to) << c.target;
        EXPECT_EQ(found->id, c.id) << c.target;
        EXPECT_EQ(found->query, c.query) << c.target;
    }
}

struct refused_request {
    std::string method;
    std::string target;
    int status;
};

TEST(router, refuses_all_else) {
    const refused_request cases[] = {
        {"GET", "", 404},
        {"GET", "/", 404},
        {"GET", "//", 404},
        {"GET", "*", 404},
        {"GET", "health", 404},
        {"GET", "/health/", 404},
        {"GET", "/jobs/", 404},
        {"GET", "/jobs//wait", 404},
        {"GET", "/jobs/a/b", 404},
        {"GET", "/jobs/a/wait/b", 404},
        {"GET", "/jobs/a%2", 404},
        {"GET", "/jobs/a%zz", 404},
        {"GET", "/jobs/" + std::string(300, 'a'), 404},
        {"GET", "http://host", 404},
        {"GET", "/jobs", 405},
        {"POST", "/jobs/a", 405},
        {"DELETE", "/jobs/a", 405},
        {"HEAD", "/health", 405},
        {"GET", "/auth/keys/rotate", 405},
    };
    for (const refused_request& c : cases) {
        const answer<route> found = find_route(c.method, c.target);
        ASSERT_FALSE(found) << c.target;
        EXPECT_EQ(found.error().status, c.status) << c.method << ' ' << c.target;
    }
}

TEST(router, reads_max_wait) {
    EXPECT_EQ(parse_max_wait("").value(), 30u);
    EXPECT_EQ(parse_max_wait("x=1").value(), 30u);
    EXPECT_EQ(parse_max_wait("max_wait=0").value(), 0u);
    EXPECT_EQ(parse_max_wait("x=1&max_wait=7&y").value(), 7u);
    EXPECT_EQ(parse_max_wait("max_wait=31").value(), 30u);
    EXPECT_EQ(parse_max_wait("max_wait=99999999999999999999999").value(), 30u);
    for (const char* query : {"max_wait=", "max_wait=-1", "max_wait=1.5", "max_wait=1s", "max_wait=%31"}) {
        EXPECT_FALSE(parse_max_wait(query)) << query;
    }
}

}  // namespace
}  // namespace vembed::service
