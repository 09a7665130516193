#pragma once
/// @file
/// Inclusion paths in the trees that receipts may follow: any leaf encoding, node encoding and odd-node rule of
/// <vembed/verify/schemes.hpp>. For the default scheme they are RFC 6962's inclusion proofs
/// (<vembed/verify/merkle.hpp>).
///
/// A path lists, from the leaf upwards, the sibling of each node on the way to the root. A level on which the node has
/// no sibling gives none: there it moves up as it is, or is paired with itself, as the odd-node rule says. So a leaf's
/// number and the tree's size say how long its path is and on which side each sibling stands.
///
/// What a path shows: the leaf is in a tree with that root. The leaf is number i of n only if n comes from whoever
/// vouches for the root: a root alone does not tell its tree's size.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The longest path of any tree: one sibling for each bit of a leaf's number.
inline constexpr std::size_t tree_path_max = 64;

/// The leaf of an input or of a chunk's commitment. leaf_encoding::as_digest of an input is its plain leaf, and
/// prefixed_digest of a commitment is its prefixed leaf (see leaf_encoding).
digest tree_leaf(const input_digests& input, leaf_encoding encoding);
digest tree_leaf(const digest& commitment, leaf_encoding encoding);

/// The node over two nodes.
digest tree_node(const digest& left, const digest& right, node_encoding encoding);

/// The way from a leaf to the root, and the root.
class tree_path {
public:
    std::vector<digest> siblings;
    digest root{};

    tree_path() = default;
};

/// Finds a leaf's path while the leaves pass by, in O(log n) memory.
class tree_path_builder {
public:
    /// For leaf `index` of a tree of `scheme`; scheme.leaf is not used here: leaves are given hashed.
    tree_path_builder(std::uint64_t index, const tree_scheme& scheme) : index_(index), scheme_(scheme) {}

    /// The next leaf, hashed (tree_leaf).
    void add(const digest& leaf) { add_node(0, leaf); }

    /// How many leaves were added.
    [[nodiscard]] std::uint64_t size() const noexcept { return levels_.empty() ? 0 : levels_.front().nodes; }

    /// The path in the tree of the leaves added; nothing if that tree has no leaf of the number. Call it once, last.
    std::optional<tree_path> finish();

private:
    class level {
    public:
        std::uint64_t nodes = 0;
        digest last{};                  // Waits for its sibling if `nodes` is odd.
        std::optional<digest> sibling;  // The sibling of the node on the leaf's way.

        level() = default;
    };

    void add_node(std::size_t at, digest node);

    std::uint64_t index_;
    tree_scheme scheme_;
    std::vector<level> levels_;
};

/// The path of leaf `index` among these hashed leaves; nothing if there is no such leaf.
std::optional<tree_path> find_tree_path(std::span<const digest> leaves, std::uint64_t index, const tree_scheme& scheme);

/// The root to which `siblings` lead from the hashed leaf number `index` of `size`. Nothing if there is no such leaf or
/// the path is longer or shorter than that leaf's. Any input is allowed.
std::optional<digest> fold_tree_path(std::uint64_t index, std::uint64_t size, const digest& leaf,
                                     std::span<const digest> siblings, const tree_scheme& scheme);

}  // namespace vembed
