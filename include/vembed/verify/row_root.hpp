#pragma once
/// @file
/// One root over all rows of a corpus: which text gave which numbers. It is vembed's own, no part of the service's
/// receipts: it shows that rows are those that were stored, not who computed them.
///
/// An RFC 6962 tree (<vembed/verify/merkle.hpp>) whose leaf i holds the 64 bytes SHA-256(text i) ‖ SHA-256(row i), a
/// row being its float32 little-endian bytes.

#include <cstdint>
#include <span>

#include <vembed/verify/merkle.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The SHA-256 of each row's bytes as they are in memory. `values` are into.size() rows of the same width.
void hash_rows(std::span<const float> values, std::span<digest> into);

/// The hash of a row's leaf: SHA-256(0x00 ‖ text_sha256 ‖ row_sha256).
digest row_leaf(const digest& text_sha256, const digest& row_sha256);

/// The root of rows that come in their order. O(log n) memory. Without rows: the SHA-256 of nothing.
class row_root_builder {
public:
    row_root_builder() = default;

    void add(const digest& text_sha256, const digest& row_sha256) { tree_.add(row_leaf(text_sha256, row_sha256)); }

    /// The root over the rows so far.
    [[nodiscard]] digest root() const { return tree_.root(); }

    /// How many rows were added.
    [[nodiscard]] std::uint64_t rows() const noexcept { return tree_.size(); }

private:
    merkle_builder tree_;
};

}  // namespace vembed
