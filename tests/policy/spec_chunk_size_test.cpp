#include "policy/packing/spec_chunk_size.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

TEST(ChunkSizeOfSpec, IsReadWhereItIsPlain) {
    for (const char* yaml : {
             "model: m\nchunking:\n  chunk_size: 25\n",
             "chunking:\r\n  strategy: fixed\r\n  chunk_size: 25 # rows\r\nmodel: m\r\n",
             "# spec\nchunking: {chunk_size: 25}\n",
             "chunking: {strategy: fixed, chunk_size: 25}",
             "chunking: {strategy: fixed,\n  chunk_size: 25}",
             "\"chunking\":\n    'chunk_size' : 25",
             "other:\n  chunk_size: 3\nchunking:\n\n  # how many\n  chunk_size: 25\nlater:\n  chunk_size: 4\n",
         }) {
        EXPECT_EQ(chunk_size_of_spec(yaml), 25U) << yaml;
    }
}

TEST(ChunkSizeOfSpec, IsLeftOpenWhereItIsNot) {
    for (const char* yaml : {
             "",
             "model: m\n",
             "chunk_size: 25\n",
             "chunking:\nchunk_size: 25\n",
             "chunking:\n  chunk_size:\n",
             "chunking:\n  chunk_size: 0\n",
             "chunking:\n  chunk_size: 1001\n",
             "chunking:\n  chunk_size: -1\n",
             "chunking:\n  chunk_size: 2.5\n",
             "chunking:\n  chunk_size: 25\n  chunk_size: 26\n",
             "chunking:\n  chunk_size: 25\nchunking:\n  chunk_size: 25\n",
             "chunking:\n  chunk_size: &size 25\n",
             "# chunking:\n#  chunk_size: 25\n",
             "chunking: {chunk_size: 25\n",
             "chunkings:\n  chunk_size: 25\n",
         }) {
        EXPECT_FALSE(chunk_size_of_spec(yaml)) << yaml;
    }
}

}  // namespace
}  // namespace vembed::policy
