#include "reuse/dedup_index.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

namespace vembed::reuse {
namespace {

constexpr std::uint64_t first_capacity_bits = 14;
constexpr std::uint64_t last_capacity_bits = 40;
// A sequence of taken slots may go on beyond the last home slot. Keys never wrap around, so that they are in the file
// in the order of their home slots and growing the table reads and writes from front to back.
constexpr std::uint64_t tail_slots = 1024;
constexpr std::size_t probe_slots = 16;
constexpr std::size_t block_slots = 2048;
constexpr std::size_t window_slots = 16 * 1024;
constexpr std::uint64_t window_slack = 1024;
constexpr std::size_t spill_buffer_bytes = 64 * 1024;
constexpr std::size_t page_bytes = 4096;

std::uint64_t slots_of(std::uint64_t capacity_bits) {
    return (std::uint64_t{1} << capacity_bits) + tail_slots;
}

std::string folder_or_default(std::string folder) {
    if (!folder.empty()) {
        return folder;
    }
    const char* chosen = std::getenv("TMPDIR");
    // The usual temporary folder is often kept in memory, and the table of a large corpus is large.
    return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

}  // namespace

result<void> spill_file::append(const void* from, std::size_t size) {
    pending_.append(static_cast<const char*>(from), size);
    return pending_.size() < spill_buffer_bytes ? result<void>() : write_out();
}

result<void> spill_file::write_out() {
    auto written = file_.write(pending_.data(), pending_.size(), written_);
    if (written) {
        written_ += pending_.size();
        pending_.clear();
        if (pending_.capacity() > 4 * spill_buffer_bytes) {
            pending_ = std::string();  // One very long text must not keep its memory.
        }
    }
    return written;
}

result<void> spill_file::read(void* into, std::size_t size, std::uint64_t offset) {
    if (offset + size > written_) {
        if (auto written = write_out(); !written) {
            return written;
        }
    }
    auto got = file_.read(into, size, offset);
    if (!got) {
        return got.error();
    }
    if (*got != size) {
        return error(errc::io, "a temporary file in " + file_.place() + " is shorter than what was written to it");
    }
    return {};
}

result<std::unique_ptr<dedup_index>> dedup_index::create(std::string folder, storage::file_ops& ops) {
    const bool chosen = !folder.empty();
    std::unique_ptr<dedup_index> made(new dedup_index(folder_or_default(std::move(folder)), ops));
    auto opened = made->open_files();
    if (!opened && !chosen) {
        made->in_memory_ = "memory (no temporary file can be made in " + made->folder_ +
                           "; name another folder in TMPDIR: at most 1 GiB goes here)";
        made->folder_.clear();
        opened = made->open_files();
    }
    if (!opened) {
        return opened.error();
    }
    return made;
}

result<void> dedup_index::open_files() {
    capacity_bits_ = first_capacity_bits;
    auto table = open_table(capacity_bits_);
    if (!table) {
        return table.error();
    }
    table_ = std::move(*table);
    for (spill_file* file : {&waiting_, &descriptions_}) {
        auto made = storage::nameless_file::create(*ops_, folder_, in_memory_);
        if (!made) {
            return made.error();
        }
        *file = spill_file(std::move(*made));
    }
    return {};
}

result<storage::nameless_file> dedup_index::open_table(std::uint64_t capacity_bits) {
    auto file = storage::nameless_file::create(*ops_, folder_, in_memory_);
    if (!file) {
        return file;
    }
    // Holes read as zeros, which are empty slots.
    if (auto sized = file->extend(slots_of(capacity_bits) * sizeof(slot)); !sized) {
        return sized.error();
    }
    return file;
}

// Returns nothing if a sequence of taken slots reaches the end of the table.
result<std::optional<dedup_index::place>> dedup_index::find(const slot& wanted) {
    const std::uint64_t end = slots_of(capacity_bits_);
    std::uint64_t index = wanted.key[0] >> (64 - capacity_bits_);
    std::array<slot, probe_slots> probed;
    while (index < end) {
        const std::size_t count = std::min<std::uint64_t>(probe_slots, end - index);
        auto got = table_.read(probed.data(), count * sizeof(slot), index * sizeof(slot));
        if (!got) {
            return got.error();
        }
        if (*got != count * sizeof(slot)) {
            return error(errc::io, "a temporary file in " + table_.place() + " is shorter than it was made");
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (probed[i].row_plus_one == 0 || probed[i].key == wanted.key) {
                return std::optional(place{index + i, probed[i].row_plus_one});
            }
        }
        index += count;
    }
    return std::optional<place>();
}

result<std::optional<std::uint64_t>> dedup_index::find_or_add(const digest& text, std::uint64_t row) {
    slot wanted{};
    std::memcpy(wanted.key.data(), text.data(), sizeof(wanted.key));
    wanted.row_plus_one = row + 1;
    if (wanted.row_plus_one == 0) {
        return error(errc::invalid_argument, "row numbers go up to 2^64 - 2");
    }
    for (;;) {
        auto found = find(wanted);
        if (!found) {
            return found.error();
        }
        if (*found && (*found)->row_plus_one != 0) {
            const std::uint64_t first = (*found)->row_plus_one - 1;
            return first == row ? std::optional<std::uint64_t>() : std::optional(first);
        }
        const bool full = texts_ >= (std::uint64_t{1} << capacity_bits_) / 20 * 13;
        if (*found && !full) {
            auto written = table_.write(&wanted, sizeof(wanted), (*found)->index * sizeof(slot));
            if (!written) {
                return written.error();
            }
            ++texts_;
            return std::optional<std::uint64_t>();
        }
        if (texts_ < (std::uint64_t{1} << capacity_bits_) / 64) {
            return error(errc::io, "the texts' hashes crowd so that no index holds them; run without deduplication");
        }
        if (auto grown = grow(); !grown) {
            return grown.error();
        }
    }
}

result<void> dedup_index::grow() {
    for (std::uint64_t bits = capacity_bits_ + 1; bits <= last_capacity_bits; ++bits) {
        auto larger = open_table(bits);
        if (!larger) {
            return larger.error();
        }
        auto filled = refill(*larger, bits);
        if (!filled) {
            return filled.error();
        }
        if (*filled) {
            table_ = std::move(*larger);
            capacity_bits_ = bits;
            return {};
        }
    }
    return error(errc::io, "the corpus has more different texts than an index can hold; run without deduplication");
}

// A range of a table's slots in memory. The table is filled nearly from front to back, so the file gets no holes: a
// small write into a hole costs a file system several times as much as one into a page it has. Each write is one page,
// because the system may keep a larger write as one large piece of memory (a folio), and ext4 goes through all of that
// at each small write into it.
class dedup_index::window {
public:
    window(storage::nameless_file& file, std::uint64_t slots) : file_(&file), slots_(slots) {}

    // Returns false if there is no empty slot behind its home slot.
    result<bool> add(const slot& added, std::uint64_t home) {
        if (held_.empty() || home < first_ || home + window_slack > first_ + held_.size()) {
            if (auto moved = move_to(home - std::min<std::uint64_t>(home, window_slack)); !moved) {
                return moved.error();
            }
        }
        for (std::uint64_t i = home - first_; i < held_.size(); ++i) {
            if (held_[i].row_plus_one == 0) {
                held_[i] = added;
                return true;
            }
        }
        return false;
    }

    result<void> write_out() {
        const auto slots = std::as_bytes(std::span(held_));
        const std::uint64_t begin = first_ * sizeof(slot);
        for (std::size_t at = 0; at < slots.size();) {
            const std::size_t to_page_end = page_bytes - (begin + at) % page_bytes;
            const std::size_t size = std::min(slots.size() - at, to_page_end);
            if (auto written = file_->write(slots.data() + at, size, begin + at); !written) {
                return written;
            }
            at += size;
        }
        written_end_ = std::max(written_end_, first_ + held_.size());
        return {};
    }

private:
    result<void> move_to(std::uint64_t first) {
        if (auto written = write_out(); !written) {
            return written;
        }
        first_ = first;
        held_.assign(std::min<std::uint64_t>(window_slots, slots_ - first), slot());
        if (first_ >= written_end_) {
            return {};
        }
        // Only what was written is read: the rest is a hole, and reading ahead in it would fill memory with large
        // pieces.
        const std::size_t known = std::min<std::uint64_t>(held_.size(), written_end_ - first_);
        auto got = file_->read(held_.data(), known * sizeof(slot), first_ * sizeof(slot));
        return got ? result<void>() : got.error();
    }

    storage::nameless_file* file_;
    std::uint64_t slots_;
    std::vector<slot> held_;
    std::uint64_t first_ = 0;
    std::uint64_t written_end_ = 0;
};

// Moves every text to a larger table. Returns false if a text found no slot there.
result<bool> dedup_index::refill(storage::nameless_file& into, std::uint64_t capacity_bits) {
    window target(into, slots_of(capacity_bits));
    std::vector<slot> block(block_slots);
    const std::uint64_t end = slots_of(capacity_bits_);
    for (std::uint64_t index = 0; index < end; index += block_slots) {
        const std::size_t count = std::min<std::uint64_t>(block_slots, end - index);
        auto got = table_.read(block.data(), count * sizeof(slot), index * sizeof(slot));
        if (!got) {
            return got.error();
        }
        for (std::size_t i = 0; i < *got / sizeof(slot); ++i) {
            if (block[i].row_plus_one == 0) {
                continue;
            }
            auto added = target.add(block[i], block[i].key[0] >> (64 - capacity_bits));
            if (!added || !*added) {
                return added;
            }
        }
    }
    if (auto written = target.write_out(); !written) {
        return written.error();
    }
    return true;
}

result<void> dedup_index::defer(std::uint64_t row, std::uint64_t original, const source_row& described) {
    if (deferred_ > 0 && row <= last_deferred_) {
        return error(errc::invalid_argument,
                     "row " + std::to_string(row) + " was deferred after row " + std::to_string(last_deferred_));
    }
    const std::array<std::uint64_t, 3> record{row, original, descriptions_.size()};
    for (const std::string* part : {&described.id, &described.origin, &described.text}) {
        const std::uint64_t size = part->size();
        if (auto kept = descriptions_.append(&size, sizeof(size)); !kept) {
            return kept;
        }
        if (auto kept = descriptions_.append(part->data(), part->size()); !kept) {
            return kept;
        }
    }
    if (auto kept = waiting_.append(record.data(), sizeof(record)); !kept) {
        return kept;
    }
    last_deferred_ = row;
    ++deferred_;
    return {};
}

result<deferred_row> dedup_index::deferred_at(std::uint64_t number) {
    std::array<std::uint64_t, 3> record{};
    if (auto got = waiting_.read(record.data(), sizeof(record), number * sizeof(record)); !got) {
        return got.error();
    }
    deferred_row deferred;
    deferred.row = record[0];
    deferred.original = record[1];
    deferred.described_at = record[2];
    return deferred;
}

result<std::vector<deferred_row>> dedup_index::deferred_from(std::uint64_t first, std::size_t most) {
    std::uint64_t begin = 0;
    for (std::uint64_t end = deferred_; begin < end;) {
        const std::uint64_t middle = begin + (end - begin) / 2;
        auto at = deferred_at(middle);
        if (!at) {
            return at.error();
        }
        (at->row < first ? begin : end) = at->row < first ? middle + 1 : middle;
    }
    const std::size_t count = std::min<std::uint64_t>(most, deferred_ - begin);
    std::vector<std::uint64_t> records(count * 3);
    if (auto got =
            waiting_.read(records.data(), records.size() * sizeof(std::uint64_t), begin * 3 * sizeof(std::uint64_t));
        !got) {
        return got.error();
    }
    std::vector<deferred_row> page(count);
    for (std::size_t i = 0; i < count; ++i) {
        page[i].row = records[3 * i];
        page[i].original = records[3 * i + 1];
        page[i].described_at = records[3 * i + 2];
    }
    return page;
}

result<source_row> dedup_index::describe(const deferred_row& deferred) {
    source_row row;
    std::uint64_t at = deferred.described_at;
    for (std::string* part : {&row.id, &row.origin, &row.text}) {
        std::uint64_t size = 0;
        if (at > descriptions_.size() || descriptions_.size() - at < sizeof(size)) {
            return error(errc::invalid_argument, "no row was deferred under this number");
        }
        if (auto got = descriptions_.read(&size, sizeof(size), at); !got) {
            return got.error();
        }
        at += sizeof(size);
        if (size > descriptions_.size() - at) {
            return error(errc::io,
                         "a temporary file in " + descriptions_.place() + " does not hold what was written to it");
        }
        part->resize(size);
        if (auto got = descriptions_.read(part->data(), part->size(), at); !got) {
            return got.error();
        }
        at += size;
    }
    return row;
}

}  // namespace vembed::reuse
