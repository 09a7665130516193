#pragma once
/// A file of records of one size, written in any order; record i is at byte i × size. A record of zeros was not
/// written. A crash at any moment leaves the file repairable, because it tears only records that were not reported as
/// durable.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

class record_file {
public:
    /// Writes the record of that number into `record`, which is all zeros.
    using maker = std::function<result<void>(std::uint64_t number, std::span<std::byte> record)>;

    record_file(storage::file_ops& ops, std::string path, std::size_t record_bytes)
        : ops_(&ops), path_(std::move(path)), record_bytes_(record_bytes) {}

    /// Opens or creates the file and cuts off a torn record at its end.
    result<void> open();

    /// Opens the file for reading. A missing file has no records.
    result<void> open_to_read();

    /// Writes whole records, from number `first` on. Adjacent records are gathered into one write. After an error they
    /// are kept, and a later call writes them.
    result<void> write(std::uint64_t first, std::span<const std::byte> records);

    /// Reads whole records, from number `first` on. Records beyond the end are zeros.
    result<void> read(std::uint64_t first, std::span<std::byte> into);

    /// Passes gathered records to the operating system.
    result<void> write_out();

    /// Calls write_out, then makes everything written so far durable.
    result<void> sync();

    /// Leaves exactly `count` records, durably. If some are missing, `make` gives them, and a new file replaces the old
    /// one atomically.
    result<void> complete(std::uint64_t count, const maker& make);

    /// The number of records that the file had when it was opened, including missing ones.
    [[nodiscard]] std::uint64_t count_at_open() const noexcept { return count_at_open_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    class block;
    result<bool> lacks_any(std::uint64_t count);
    result<void> replace(std::uint64_t count, const maker& make);

    storage::file_ops* ops_;
    std::string path_;
    std::size_t record_bytes_;
    storage::unique_fd fd_;
    std::uint64_t count_at_open_ = 0;
    std::uint64_t pending_first_ = 0;  ///< Number of the first record of pending_.
    std::vector<std::byte> pending_;
    bool dirty_ = false;
};

}  // namespace vembed::folder
