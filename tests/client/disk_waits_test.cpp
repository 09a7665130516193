// Files beside the work that another process has locked: what an operation does not wait for.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <vembed/client/client.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/testing/simulation.hpp>

#include "storage/file_lock.hpp"
#include "support/corpora.hpp"
#include "support/scratch.hpp"
#include "support/system_client.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

// Less than a lock is waited for, and far more than an embed takes.
constexpr auto soon = 4s;

client_options offline_options() {
    client_options options = options_for(std::make_shared<service>(quick_service()));
    options.verify = verify_level::offline;
    return options;
}

class told {
public:
    std::optional<result<embeddings>> outcome;
    monotonic_clock::duration took{};
};

told embed_within(const client_options& options, std::chrono::milliseconds timeout) {
    told seen;
    asio::io_context context(1);
    client subject(context.get_executor(), options);
    call_options call;
    call.timeout = timeout;
    const monotonic_time begun = options.env->now();
    subject.embed(job_request::for_model(small_model, corpus(2)), call).start([&](result<embeddings> got) {
        seen.outcome.emplace(std::move(got));
        seen.took = options.env->now() - begun;
    });
    context.run();
    return seen;
}

TEST(DiskWaits, RowsDoNotWaitForAPinsFileThatIsLocked) {
    const scratch_folder scratch;
    client_options options = offline_options();
    options.pins_file = scratch.file("pins.json");
    const auto lock = storage::file_lock::acquire(options.pins_file + ".lock", "the pins");
    ASSERT_TRUE(lock) << lock.error();
    const told seen = embed_within(options, 2s);
    ASSERT_TRUE(seen.outcome);
    EXPECT_TRUE(*seen.outcome) << seen.outcome->error();
    EXPECT_LT(seen.took, soon);
    EXPECT_FALSE(std::filesystem::exists(options.pins_file));
}

TEST(DiskWaits, ADeadlineIsHeardWhileTheQuotaFileIsLocked) {
    const scratch_folder scratch;
    client_options options = offline_options();
    options.quota_folder = scratch.file("quota");
    const told first = embed_within(options, 60s);
    ASSERT_TRUE(first.outcome && *first.outcome);
    std::string locked;
    for (const auto& one : std::filesystem::recursive_directory_iterator(options.quota_folder)) {
        if (one.path().extension() == ".lock" && one.path().filename() != "chunk-sizes.json.lock") {
            locked = one.path().string();
        }
    }
    ASSERT_FALSE(locked.empty());
    const auto lock = storage::file_lock::acquire(locked, "the quota");
    ASSERT_TRUE(lock) << lock.error();
    const told second = embed_within(options, 500ms);
    ASSERT_TRUE(second.outcome);
    ASSERT_FALSE(*second.outcome);
    EXPECT_EQ(second.outcome->error().kind, errc::timeout) << second.outcome->error();
    EXPECT_LT(second.took, soon);
}

}  // namespace
}  // namespace vembed::testing
