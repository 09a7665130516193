#include "aitbc/wire/job_request.hpp"

#include <gtest/gtest.h>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;

job_request simple() {
    job_request request;
    request.model = "llama";
    request.input = "a text";
    return request;
}

TEST(aitbc_job_request, is_written_in_the_documented_form) {
    job_request request = simple();
    EXPECT_EQ(write_job_body(request, dialect::docs).value(),
              R"({"model":"llama","input":"a text","output_config":{"destination":"local","format":"json"},)"
              R"("priority":"normal"})");
    request.output_destination = "s3://bucket/path";
    request.gpu_type = "A100";
    request.gpu_count = 2;
    request.min_vram_gb = 40;
    request.priority = job_priority::urgent;
    request.timeout = 90s;
    EXPECT_EQ(write_job_body(request, dialect::docs).value(),
              R"({"model":"llama","input":"a text","output_config":{"destination":"s3://bucket/path","format":"json"},)"
              R"("requirements":{"gpu_type":"A100","gpu_count":2,"min_vram_gb":40},"priority":"urgent",)"
              R"("timeout_seconds":90})");
}

TEST(aitbc_job_request, is_written_in_the_coordinators_form) {
    job_request request = simple();
    request.gpu_type = "A100";
    request.min_vram_gb = 40;
    request.timeout = 900s;
    request.payload["type"] = "inference";
    request.payload["prompt"] = "another";
    request.constraints["region"] = "eu";
    request.payment_amount = "1.50";
    request.payment_currency = "AITBC";
    EXPECT_EQ(write_job_body(request, dialect::coordinator).value(),
              R"({"payload":{"type":"inference","prompt":"another","model":"llama"},)"
              R"("constraints":{"region":"eu","gpu":"A100","min_vram_gb":40},"ttl_seconds":900,)"
              R"("payment_amount":"1.50","payment_currency":"AITBC"})");
}

struct flaw {
    std::string named;
    dialect which;
    void (*make)(job_request&);
};

TEST(aitbc_job_request, says_what_is_wrong) {
    constexpr dialect docs = dialect::docs;
    constexpr dialect coordinator = dialect::coordinator;
    for (const flaw& f : {
             flaw{"model", docs, [](job_request& r) { r.model.clear(); }},
             flaw{"model", docs, [](job_request& r) { r.model = std::string(257, 'm'); }},
             flaw{"model", docs, [](job_request& r) { r.model = "a\nb"; }},
             flaw{"input", docs, [](job_request& r) { r.input.clear(); }},
             flaw{"input", docs, [](job_request& r) { r.input = "\xff"; }},
             flaw{"input", docs, [](job_request& r) { r.input = std::string((10 << 20) + 1, 'x'); }},
             flaw{"10 MiB", docs, [](job_request& r) { r.input = std::string(10 << 20, 'x'); }},
             flaw{"destination", docs, [](job_request& r) { r.output_destination = "s3://bucket"; }},
             flaw{"destination", docs, [](job_request& r) { r.output_destination = "/tmp"; }},
             flaw{"format", docs, [](job_request& r) { r.output_format.clear(); }},
             flaw{"gpu_count", docs, [](job_request& r) { r.gpu_count = 0; }},
             flaw{"min_vram_gb", docs, [](job_request& r) { r.min_vram_gb = 1 << 20; }},
             flaw{"timeout", docs, [](job_request& r) { r.timeout = 0s; }},
             flaw{"timeout", docs, [](job_request& r) { r.timeout = 24h * 31; }},
             flaw{"coordinator", docs, [](job_request& r) { r.payload["type"] = "x"; }},
             flaw{"coordinator", docs, [](job_request& r) { r.payment_amount = "1"; }},
             flaw{"coordinator", coordinator, [](job_request& r) { r.output_destination = "s3://b/p"; }},
             flaw{"priority", coordinator, [](job_request& r) { r.priority = job_priority::high; }},
             flaw{"gpu_count", coordinator, [](job_request& r) { r.gpu_count = 1; }},
             flaw{"amount", coordinator, [](job_request& r) { r.payment_amount = "1,5"; }},
             flaw{"currency", coordinator, [](job_request& r) { r.payment_currency = "X"; }},
             flaw{"payload", coordinator, [](job_request& r) { r = job_request(); }},
         }) {
        job_request request = simple();
        f.make(request);
        const auto body = write_job_body(request, f.which);
        ASSERT_FALSE(body) << f.named;
        EXPECT_EQ(body.error().kind, errc::invalid_argument);
        EXPECT_NE(body.error().message.find(f.named), std::string::npos) << body.error();
    }
}

}  // namespace
}  // namespace vembed::aitbc
