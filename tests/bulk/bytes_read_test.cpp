// What a corpus' reader counts is looked at by another thread: the one that tells how far the reading has come.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <vembed/corpus/source.hpp>

#include "support/scratch.hpp"

namespace vembed::testing {
namespace {

TEST(BytesRead, IsLookedAtWhileAnotherThreadReads) {
    const scratch_folder folder;
    std::string lines;
    while (lines.size() < (std::size_t{2} << 20)) {
        lines += "a line of a corpus that takes several blocks to read\n";
    }
    file_source_options options;
    options.format = corpus_format::lines;
    options.bytes_read = std::make_shared<std::atomic<std::uint64_t>>(0);
    auto source = open_files({folder.write("corpus.txt", lines)}, options);
    ASSERT_TRUE(source) << source.error();

    std::atomic<bool> looking{false};
    std::atomic<bool> read{false};
    std::uint64_t rows = 0;
    std::thread reader([&] {
        while (!looking) {
            std::this_thread::yield();
        }
        for (auto row = (*source)->next(); row && *row; row = (*source)->next()) {
            ++rows;
        }
        read = true;
    });
    std::uint64_t seen = 0;
    bool descended = false;
    while (!read) {
        const std::uint64_t now = *options.bytes_read;
        descended = descended || now < seen;
        seen = now;
        looking = true;
    }
    reader.join();
    EXPECT_FALSE(descended);
    EXPECT_EQ(*options.bytes_read, lines.size());
    EXPECT_EQ(rows, lines.size() / lines.substr(0, lines.find('\n') + 1).size());
}

}  // namespace
}  // namespace vembed::testing
