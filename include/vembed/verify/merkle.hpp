#pragma once
/// @file
/// Merkle trees as RFC 6962, section 2.1, defines them: roots, inclusion proofs and consistency proofs.
///
/// A leaf's hash is SHA-256(0x00 ‖ data), a node's SHA-256(0x01 ‖ left ‖ right); the left subtree of n leaves has the
/// largest power of two below n. Proofs are listed from the leaves upwards, as in the RFC.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The hash of a leaf that holds `data`.
digest leaf_hash(std::span<const std::byte> data);

/// The hash of an inner node.
digest node_hash(const digest& left, const digest& right);

/// The root over leaf hashes (not leaf data). Without leaves: the SHA-256 of nothing.
digest merkle_root(std::span<const digest> leaf_hashes);

/// A root that grows leaf by leaf. Keeps one hash for each power of two in its size: O(log n) memory.
class merkle_builder {
public:
    merkle_builder() = default;

    /// Appends a leaf by its hash.
    void add(const digest& leaf);

    /// The root over the leaves so far.
    [[nodiscard]] digest root() const;

    /// How many leaves were added.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
    std::vector<digest> peaks_;  // The roots of the complete subtrees, largest first.
    std::uint64_t size_ = 0;
};

/// The inclusion proof of leaf `leaf_index` in the tree over `leaf_hashes`. invalid_argument if there is no such leaf.
result<std::vector<digest>> inclusion_proof(std::span<const digest> leaf_hashes, std::uint64_t leaf_index);

/// The proof that the tree over the first `size1` leaves is a prefix of the tree over all of `leaf_hashes`. Empty if
/// the sizes are equal. invalid_argument if size1 is 0 or larger than the tree.
result<std::vector<digest>> consistency_proof(std::span<const digest> leaf_hashes, std::uint64_t size1);

/// Whether `proof` shows that the leaf with hash `leaf` is number `leaf_index` of the tree of `tree_size` leaves with
/// root `root`. Any input is allowed; proofs that are too long or too short are refused.
bool verify_inclusion(std::uint64_t leaf_index, std::uint64_t tree_size, const digest& leaf,
                      std::span<const digest> proof, const digest& root);

/// Whether `proof` shows that the tree of size1 leaves with root1 is a prefix of the tree of size2 leaves with root2.
/// Any input is allowed; proofs that are too long or too short are refused.
bool verify_consistency(std::uint64_t size1, std::uint64_t size2, const digest& root1, const digest& root2,
                        std::span<const digest> proof);

}  // namespace vembed
