// attest_corpus() on the machine's own clocks and threads, and the C++ of docs/attest.md, run.

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <vembed/vembed.hpp>

#include "attest/own_rows.hpp"
#include "support/system_client.hpp"

/// The snippet of docs/attest.md.
vembed::attest_report attest_mine(vembed::blocking_client& client);

namespace vembed::testing {
namespace {

TEST(AttestBlocking, ManyRequestsAtOnce) {
    service_options remote = quick_service();
    remote.chunk_size = 10;
    blocking_client client(options_for(std::make_shared<service>(remote)));
    const own_rows own(150);
    attest_options options = own.options();
    options.requests_in_flight = 8;
    const auto report = attest_corpus(client, options);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_attested, 150U);
    EXPECT_EQ(report->requests, 15U);
    EXPECT_EQ(attest_corpus(client, options)->rows_attested_before, 150U);
}

TEST(AttestBlocking, AStopFromAnotherThread) {
    service_options remote = quick_service();
    remote.chunk_size = 10;
    remote.settle_delay_ms = 20;
    blocking_client client(options_for(std::make_shared<service>(remote)));
    const own_rows own(150);
    std::stop_source stop;
    std::jthread stopper;
    attest_options options = own.options();
    options.stop = stop.get_token();
    options.on_claim = [&](const claim_record&) {
        if (!stopper.joinable()) {
            stopper = std::jthread([&] { stop.request_stop(); });
            stopper.join();
        }
    };
    const auto report = attest_corpus(client, options);
    ASSERT_TRUE(report) << report.error();
    EXPECT_TRUE(report->stopped);
    options.stop = {};
    options.on_claim = nullptr;
    EXPECT_EQ(attest_corpus(client, options)->rows_attested, 150U);
}

TEST(AttestBlocking, AChildProcessIsToldAtOnce) {
    blocking_client client(options_for(std::make_shared<service>(quick_service())));
    const own_rows own(5);
    const attest_options options = own.options();
    const pid_t child = ::fork();
    if (child == 0) {
        const auto refused = attest_corpus(client, options);
        ::_exit(!refused && refused.error().kind == errc::invalid_argument ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(AttestBlocking, TheDocumentsExampleRuns) {
    blocking_client client(options_for(std::make_shared<service>(quick_service())));
    const own_rows own(5);
    const auto rows = client.embed("bge-large-v1.5", own.texts);
    ASSERT_TRUE(rows) << rows.error();
    static_cast<void>(own.folder.write("mine.npy", npy_of(rows->rows)));
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(own.folder.path());
    const attest_report report = attest_mine(client);
    std::filesystem::current_path(before);
    EXPECT_EQ(report.rows_attested, 5U);
    EXPECT_TRUE(own.folder.has("receipts.jsonl"));
}

}  // namespace
}  // namespace vembed::testing
