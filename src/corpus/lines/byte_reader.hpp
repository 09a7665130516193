#pragma once
/// The bytes of a corpus file from first to last, decompressed if its first bytes say that it is compressed.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <vembed/core/result.hpp>

namespace vembed::corpus {

class byte_reader {
public:
    byte_reader() = default;
    byte_reader(const byte_reader&) = delete;
    byte_reader& operator=(const byte_reader&) = delete;
    virtual ~byte_reader() = default;

    /// Reads at least one and at most `size` bytes (size > 0); 0 only at the end. Fails with io if the file cannot be
    /// read, with bad_input if compressed data is damaged or ends early.
    virtual result<std::size_t> read(char* into, std::size_t size) = 0;
};

/// The bytes as they are stored.
result<std::unique_ptr<byte_reader>> open_stored_bytes(const std::string& path);

/// The bytes decompressed: gzip (any number of members), zstd (any number of frames), or as stored. Fails with
/// bad_input if the compression is recognised but not supported (bzip2, xz, zip). Stored bytes that were read are added
/// to `count` if it is not null.
result<std::unique_ptr<byte_reader>> open_corpus_bytes(const std::string& path,
                                                       std::shared_ptr<std::atomic<std::uint64_t>> count);

}  // namespace vembed::corpus
