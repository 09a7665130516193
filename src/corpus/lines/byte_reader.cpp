#include "corpus/lines/byte_reader.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <string_view>
#include <utility>

#include "storage/file_ops.hpp"

namespace vembed::corpus {
namespace {

constexpr std::size_t packed_block_bytes = 256 * 1024;

error damaged(const std::string& path, std::string_view kind, std::string_view why) {
    std::string message = path;
    message.append(": the ").append(kind).append(" data ").append(why);
    message.append("; copy the file again from where it came from, or compress it again");
    return {errc::bad_input, std::move(message)};
}

class stored_reader final : public byte_reader {
public:
    stored_reader(storage::unique_fd fd, std::string path, std::shared_ptr<std::atomic<std::uint64_t>> count)
        : fd_(std::move(fd)), path_(std::move(path)), count_(std::move(count)) {
        (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    }

    result<std::size_t> read(char* into, std::size_t size) override {
        for (;;) {
            const ssize_t got = ::read(fd_.get(), into, size);
            if (got >= 0) {
                if (count_) {
                    *count_ += static_cast<std::uint64_t>(got);
                }
                return static_cast<std::size_t>(got);
            }
            if (errno != EINTR) {
                return storage::io_failure("read", path_, errno);
            }
        }
    }

private:
    storage::unique_fd fd_;
    std::string path_;
    std::shared_ptr<std::atomic<std::uint64_t>> count_;
};

/// Compressed input in blocks.
class block_input {
public:
    explicit block_input(std::unique_ptr<byte_reader> from)
        : from_(std::move(from)), bytes_(new char[packed_block_bytes]) {}

    /// The next block; empty at the end.
    result<std::string_view> next() {
        auto got = from_->read(bytes_.get(), packed_block_bytes);
        if (!got) {
            return got.error();
        }
        return std::string_view(bytes_.get(), *got);
    }

private:
    std::unique_ptr<byte_reader> from_;
    std::unique_ptr<char[]> bytes_;
};

class gzip_reader final : public byte_reader {
public:
    gzip_reader(std::unique_ptr<byte_reader> from, std::string path) : input_(std::move(from)), path_(std::move(path)) {
        constexpr int gzip_only = 16;
        ready_ = ::inflateInit2(&stream_, MAX_WBITS + gzip_only) == Z_OK;
    }
    ~gzip_reader() override {
        if (ready_) {
            (void)::inflateEnd(&stream_);
        }
    }

    result<std::size_t> read(char* into, std::size_t size) override {
        if (!ready_) {
            return error(errc::io, "cannot read " + path_ + ": out of memory for decompression");
        }
        const auto room = static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
        stream_.next_out = reinterpret_cast<Bytef*>(into);
        stream_.avail_out = room;
        while (stream_.avail_out == room) {
            if (stream_.avail_in == 0) {
                if (auto filled = refill(); !filled) {
                    return filled.error();
                }
            }
            if (between_members_ && !begin_member()) {
                if (stream_.avail_in == 0 && ended_) {
                    return std::size_t{0};
                }
                continue;
            }
            if (auto inflated = inflate_some(room); !inflated) {
                return inflated.error();
            }
        }
        return static_cast<std::size_t>(room - stream_.avail_out);
    }

private:
    result<void> refill() {
        auto block = input_.next();
        if (!block) {
            return block.error();
        }
        ended_ = block->empty();
        // zlib does not write through next_in; its type says so only with ZLIB_CONST.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block->data()));
        stream_.avail_in = static_cast<uInt>(block->size());
        return {};
    }

    // Zero bytes may pad the end of a member, as on tapes and by gzip itself. False if more input is needed.
    bool begin_member() {
        while (stream_.avail_in > 0 && *stream_.next_in == 0) {
            ++stream_.next_in;
            --stream_.avail_in;
        }
        if (stream_.avail_in == 0) {
            return false;
        }
        (void)::inflateReset(&stream_);
        between_members_ = false;
        return true;
    }

    result<void> inflate_some(uInt room) {
        const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
        if (outcome == Z_STREAM_END) {
            between_members_ = true;
            return {};
        }
        if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
            return damaged(
                path_, "gzip",
                std::string("is damaged (") + (stream_.msg != nullptr ? stream_.msg : "cannot inflate") + ")");
        }
        if (ended_ && stream_.avail_out == room) {
            return damaged(path_, "gzip", "ends before it is complete: the file is truncated");
        }
        return {};
    }

    block_input input_;
    std::string path_;
    z_stream stream_{};
    bool ready_ = false;
    bool ended_ = false;
    bool between_members_ = false;
};

// The window that `zstd --long=31` writes; it takes up to 2 GiB of memory if the file is that long.
constexpr int window_log_max = 31;

class zstd_reader final : public byte_reader {
public:
    zstd_reader(std::unique_ptr<byte_reader> from, std::string path)
        : input_(std::move(from)), path_(std::move(path)), stream_(ZSTD_createDStream()) {
        if (stream_ != nullptr) {
            (void)ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log_max);
        }
    }
    ~zstd_reader() override { (void)ZSTD_freeDStream(stream_); }

    result<std::size_t> read(char* into, std::size_t size) override {
        if (stream_ == nullptr) {
            return error(errc::io, "cannot read " + path_ + ": out of memory for decompression");
        }
        ZSTD_outBuffer out{into, size, 0};
        while (out.pos == 0) {
            if (block_.pos == block_.size && !ended_) {
                auto block = input_.next();
                if (!block) {
                    return block.error();
                }
                ended_ = block->empty();
                block_ = ZSTD_inBuffer{block->data(), block->size(), 0};
            }
            if (ended_ && !frame_open_) {
                return std::size_t{0};
            }
            const std::size_t outcome = ZSTD_decompressStream(stream_, &out, &block_);
            if (ZSTD_isError(outcome) != 0) {
                return undecodable(outcome);
            }
            frame_open_ = outcome != 0;
            if (ended_ && frame_open_ && out.pos == 0) {
                return damaged(path_, "zstd", "ends before it is complete: the file is truncated");
            }
        }
        return out.pos;
    }

private:
    [[nodiscard]] error undecodable(std::size_t outcome) const {
        switch (ZSTD_getErrorCode(outcome)) {
            case ZSTD_error_memory_allocation:
                return {errc::io, "cannot read " + path_ +
                                      ": there is not enough memory for the window it was compressed with (up to 2 "
                                      "GiB); compress it again with a smaller one: zstd -dc --long=31 FILE | zstd"};
            case ZSTD_error_frameParameter_windowTooLarge:
                return {errc::bad_input, "cannot read " + path_ + ": it was compressed with a window of over 2 GiB"};
            default:
                return damaged(path_, "zstd",
                               std::string("cannot be decompressed (") + ZSTD_getErrorName(outcome) + ")");
        }
    }

    block_input input_;
    std::string path_;
    ZSTD_DStream* stream_;
    ZSTD_inBuffer block_{nullptr, 0, 0};
    bool ended_ = false;
    bool frame_open_ = false;
};

bool is_zstd(std::string_view first) {
    using namespace std::string_view_literals;
    // A frame, or a skippable frame (any low nibble), which may come before it.
    return first.starts_with("\x28\xb5\x2f\xfd"sv) ||
           (first.size() >= 4 && (static_cast<unsigned char>(first[0]) & 0xf0) == 0x50 &&
            first.substr(1).starts_with("\x2a\x4d\x18"sv));
}

std::string_view unread_compression(std::string_view first) {
    using namespace std::string_view_literals;
    if (first.starts_with("BZh"sv) && first.size() > 3 && first[3] >= '1' && first[3] <= '9') {
        return "bzip2";
    }
    if (first.starts_with("\xfd"
                          "7zXZ\0"sv)) {
        return "xz";
    }
    if (first.starts_with("PK\x03\x04"sv)) {
        return "zip";
    }
    return {};
}

}  // namespace

result<std::unique_ptr<byte_reader>> open_stored_bytes(const std::string& path) {
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    return std::unique_ptr<byte_reader>(new stored_reader(std::move(*fd), path, nullptr));
}

result<std::unique_ptr<byte_reader>> open_corpus_bytes(const std::string& path,
                                                       std::shared_ptr<std::atomic<std::uint64_t>> count) {
    using namespace std::string_view_literals;
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    std::array<char, 8> head{};
    auto got = storage::read_at(storage::system_file_ops(), fd->get(), head.data(), head.size(), 0, path);
    if (!got) {
        return got.error();
    }
    const std::string_view first(head.data(), *got);
    if (const auto kind = unread_compression(first); !kind.empty()) {
        return error(errc::invalid_argument, path + " is compressed with " + std::string(kind) +
                                                 ", which is not read here; decompress it first with: " +
                                                 std::string(kind == "zip"  ? "unzip -p "
                                                             : kind == "xz" ? "xz -dc "
                                                                            : "bzip2 -dc ") +
                                                 path + " > FILE");
    }
    auto stored = std::make_unique<stored_reader>(std::move(*fd), path, std::move(count));
    if (first.starts_with("\x1f\x8b"sv)) {
        return std::unique_ptr<byte_reader>(new gzip_reader(std::move(stored), path));
    }
    if (is_zstd(first)) {
        return std::unique_ptr<byte_reader>(new zstd_reader(std::move(stored), path));
    }
    return std::unique_ptr<byte_reader>(std::move(stored));
}

}  // namespace vembed::corpus
