#pragma once
/// @file
/// Rows bought by earlier runs, in a folder, so that no text has to be bought again by the next run.

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The rows of one service and model, as row_cache::use found them.
class cache_scope {
public:
    cache_scope() = default;

    /// The spec_hash of the receipts that the scope's rows were bought under; empty if there are no rows. A run that
    /// uses rows of the scope must stop if one of its own receipts has another spec_hash: rows of two models would mix.
    [[nodiscard]] const std::string& spec_hash() const noexcept { return spec_hash_; }

    /// The dimensions of the scope's rows; 0 if there are none.
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }

private:
    friend class row_cache;
    std::string service_;
    std::string model_;
    std::string spec_sha256_;
    std::string spec_hash_;
    std::uint64_t dimensions_ = 0;
    std::int64_t number_ = 0;                                        ///< The spec's number in the index; 0: none.
    std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();  ///< Rows from here on came after close_to_new().
    digest mark_{};                                                  ///< Goes into the checksum of every row.
};

/// A cache folder. Rows are addressed by service, model name or SHA-256 of the spec, and SHA-256 of the text's exact
/// bytes. In the folder:
///   rows.sqlite, -wal, -shm   the index
///   rows.f32                  the values, little-endian float32, in the order they came
///   lock                      held while the index is opened
/// To clear the cache, remove the folder while nothing uses it. Its size is not bounded: a row takes its values and
/// about 100 bytes more.
///
/// Any number of processes may use one folder at once, and any may be killed at any moment. Every row carries a
/// checksum over its text's hash, its values and what it was bought for: a damaged row is never served, it is counted
/// and forgotten. A process that dies loses nothing that store() returned success for; after a power cut the last rows
/// may be missing or damaged, and are then bought again.
///
/// The folder must be on a file system of this machine: the processes share memory. Network file systems are refused.
///
/// One thread at a time; calls block. Memory: about 4 MiB besides what the caller passes. Errors are io (full disk, no
/// permission, another process held the index for more than ten seconds, a damaged index: the message says what to do)
/// or folder_mismatch (the folder holds something else or a cache of another version). No error makes rows wrong that
/// were served before: a run may go on without the cache.
class row_cache {
public:
    /// Opens the cache in `folder`, which is created if it does not exist.
    static result<std::unique_ptr<row_cache>> open(std::string folder);
    row_cache(const row_cache&) = delete;
    row_cache& operator=(const row_cache&) = delete;
    ~row_cache();

    /// Finds the rows of a service (its base URL) and a model; one of `model` and `spec_sha256` is empty. If there are
    /// rows of several spec_hashes, the scope has those of the spec_hash that was stored last.
    result<cache_scope> use(std::string service, std::string model, std::string spec_sha256);

    /// Limits the scope to the rows that the cache has at this moment; rows can still be stored to it.
    result<void> close_to_new(cache_scope& scope);

    /// Reads the rows of `texts` that the scope has. hits[i] becomes 1 if texts[i] is among them, else 0; `values`
    /// becomes the hits' rows, in their order, each of scope.dimensions() values. Returns the number of hits.
    /// invalid_argument if the two spans differ in size.
    result<std::uint64_t> find(const cache_scope& scope, std::span<const digest> texts, std::span<std::uint8_t> hits,
                               std::vector<float>& values);

    /// How many of `texts` the scope has, without reading their values; find() may find some of those damaged.
    result<std::uint64_t> count(const cache_scope& scope, std::span<const digest> texts);

    /// Keeps texts.size() rows of `dimensions` values, row-major, bought under `spec_hash`, all or none. Rows that are
    /// there already stay as they are. If the spec_hash or the number of dimensions differs from the scope's, it
    /// becomes the newest one for this scope and for every later use(): rows of the older one stay on disk unseen.
    /// invalid_argument if sizes do not fit or spec_hash is empty.
    result<void> store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values,
                       std::uint64_t dimensions, const std::string& spec_hash);

    /// Removes those of `texts` that the scope has, because their rows may belong to other texts. Their values stay in
    /// the file, unseen. All or none.
    result<void> forget(const cache_scope& scope, std::span<const digest> texts);

    /// The number of damaged rows that find() met.
    [[nodiscard]] std::uint64_t damaged() const noexcept;

private:
    class impl;
    explicit row_cache(std::unique_ptr<impl> opened);
    std::unique_ptr<impl> impl_;
};

}  // namespace vembed
