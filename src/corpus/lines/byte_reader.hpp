#pragma once
/// The bytes of a corpus file from first to last, decompressed on the way where its first bytes say it is compressed.

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

    /// Reads at least one and at most `size` bytes (size > 0); 0 only at the end. io where the file cannot be read,
    /// bad_input where compressed data is damaged or ends early.
    virtual result<std::size_t> read(char* into, std::size_t size) = 0;
};

/// The bytes as they are stored.
result<std::unique_ptr<byte_reader>> open_stored_bytes(const std::string& path);

/// The bytes decompressed: gzip (any number of members), zstd (any number of frames), or as stored. Compressions that
/// are recognised but not read (bzip2, xz, zip) are bad_input. Stored bytes that were read are added to `count`, where
/// that is not null.
result<std::unique_ptr<byte_reader>> open_corpus_bytes(const std::string& path,
                                                       std::shared_ptr<std::atomic<std::uint64_t>> count);

}  // namespace vembed::corpus
