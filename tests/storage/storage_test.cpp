// What the program's files rest on: a lock that is waited for within bounds, small files that are replaced.

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

#include <gtest/gtest.h>

#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "support/scratch.hpp"

namespace vembed::testing {
namespace {

using std::chrono::milliseconds;
using storage::file_lock;

TEST(FileLock, IsWaitedForNoLongerThanAllowed) {
    const scratch_folder folder;
    const std::string path = folder.file("lock");
    {
        const auto held = file_lock::await(path, milliseconds(0));
        ASSERT_TRUE(held) << held.error().message;
        const auto refused = file_lock::await(path, milliseconds(30));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, errc::io);
        EXPECT_EQ(refused.error().message, "another process has held " + path + " for 30 ms");
    }
    EXPECT_TRUE(file_lock::await(path, milliseconds(0)));
}

TEST(FileLock, IsNotWaitedForOnceAskedToStop) {
    const scratch_folder folder;
    const std::string path = folder.file("lock");
    std::stop_source stop;
    stop.request_stop();
    {
        const auto held = file_lock::await(path, std::chrono::hours(1), stop.get_token());
        ASSERT_TRUE(held) << "a free lock needs no waiting";
        const auto refused = file_lock::await(path, std::chrono::hours(1), stop.get_token());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, errc::cancelled);
    }
}

TEST(SmallFile, IsReplacedBehindItsLinks) {
    const scratch_folder folder;
    std::filesystem::create_directory(folder.file("there"));
    std::filesystem::create_symlink("there/second", folder.file("first"));
    std::filesystem::create_symlink("real", folder.file("there/second"));
    for (const std::string content : {"made", "replaced"}) {
        ASSERT_TRUE(storage::replace_small_file(folder.file("first"), content));
        EXPECT_TRUE(std::filesystem::is_symlink(folder.file("first")));
        EXPECT_TRUE(std::filesystem::is_symlink(folder.file("there/second")));
        EXPECT_EQ(folder.read("there/real"), content);
    }
}

TEST(SmallFile, LinksThatLeadNowhereAreRefused) {
    const scratch_folder folder;
    std::filesystem::create_symlink("two", folder.file("one"));
    std::filesystem::create_symlink("one", folder.file("two"));
    const auto refused = storage::replace_small_file(folder.file("one"), "x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, errc::io);
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("one")));
}

}  // namespace
}  // namespace vembed::testing
