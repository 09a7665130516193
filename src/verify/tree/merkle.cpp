#include <vembed/verify/merkle.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "verify/hash/local_hasher.hpp"

namespace vembed {
namespace {

constexpr std::byte leaf_prefix{0};
constexpr std::byte node_prefix{1};

constexpr bool is_odd(std::uint64_t n) {
    return (n & 1) != 0;
}

// The number of leaves left of the split of a tree of n > 1 leaves: the largest power of two below n.
constexpr std::uint64_t left_size(std::uint64_t n) {
    return std::bit_floor(n - 1);
}

// A path from a leaf (or a complete subtree) up to the root. `node` is the node's number on its level, and `last` is
// the number of that level's last node, which may have no sibling.
class upward_path {
public:
    upward_path(std::uint64_t node, std::uint64_t last) : node_(node), last_(last) {}

    [[nodiscard]] bool at_root() const { return last_ == 0; }
    [[nodiscard]] bool sibling_is_left() const { return is_odd(node_) || node_ == last_; }

    void rise() {
        node_ >>= 1;
        last_ >>= 1;
    }

    // A last node without a sibling stands for itself on the levels above, until it is a right child.
    void rise_to_left_sibling() {
        while (!is_odd(node_) && node_ != 0) {
            rise();
        }
    }

private:
    std::uint64_t node_;
    std::uint64_t last_;
};

}  // namespace

digest leaf_hash(std::span<const std::byte> data) {
    sha256& hasher = verify::local_hasher();
    hasher.update(std::span(&leaf_prefix, 1));
    hasher.update(data);
    return hasher.finish();
}

digest node_hash(const digest& left, const digest& right) {
    std::array<std::byte, 1 + 2 * std::tuple_size_v<digest>> message;
    message[0] = node_prefix;
    const auto middle = std::ranges::copy(left, message.begin() + 1).out;
    std::ranges::copy(right, middle);
    return sha256_of(message);
}

void merkle_builder::add(const digest& leaf) {
    peaks_.push_back(leaf);
    // This works like adding one to a binary number: each carry joins the two last subtrees, which have the same size.
    for (std::uint64_t carry = size_; is_odd(carry); carry >>= 1) {
        const digest right = peaks_.back();
        peaks_.pop_back();
        peaks_.back() = node_hash(peaks_.back(), right);
    }
    ++size_;
}

digest merkle_builder::root() const {
    if (peaks_.empty()) {
        return sha256_of(std::span<const std::byte>());
    }
    digest right = peaks_.back();
    for (std::size_t i = peaks_.size() - 1; i > 0; --i) {
        right = node_hash(peaks_[i - 1], right);
    }
    return right;
}

digest merkle_root(std::span<const digest> leaf_hashes) {
    merkle_builder builder;
    for (const digest& leaf : leaf_hashes) {
        builder.add(leaf);
    }
    return builder.root();
}

result<std::vector<digest>> inclusion_proof(std::span<const digest> leaf_hashes, std::uint64_t leaf_index) {
    if (leaf_index >= leaf_hashes.size()) {
        return error(errc::invalid_argument, "the tree has no leaf " + std::to_string(leaf_index) + ", it has " +
                                                 std::to_string(leaf_hashes.size()) + " leaves");
    }
    std::vector<digest> proof;
    while (leaf_hashes.size() > 1) {
        const std::uint64_t left = left_size(leaf_hashes.size());
        if (leaf_index < left) {
            proof.push_back(merkle_root(leaf_hashes.subspan(left)));
            leaf_hashes = leaf_hashes.first(left);
        } else {
            proof.push_back(merkle_root(leaf_hashes.first(left)));
            leaf_hashes = leaf_hashes.subspan(left);
            leaf_index -= left;
        }
    }
    std::ranges::reverse(proof);
    return proof;
}

result<std::vector<digest>> consistency_proof(std::span<const digest> leaf_hashes, std::uint64_t size1) {
    if (size1 == 0 || size1 > leaf_hashes.size()) {
        return error(errc::invalid_argument, "the earlier tree must have 1 to " + std::to_string(leaf_hashes.size()) +
                                                 " leaves, not " + std::to_string(size1));
    }
    std::vector<digest> proof;
    // The verifier already has the earlier tree's own root, so that root is left out of the proof.
    bool verifier_has_it = true;
    while (size1 < leaf_hashes.size()) {
        const std::uint64_t left = left_size(leaf_hashes.size());
        if (size1 <= left) {
            proof.push_back(merkle_root(leaf_hashes.subspan(left)));
            leaf_hashes = leaf_hashes.first(left);
        } else {
            proof.push_back(merkle_root(leaf_hashes.first(left)));
            leaf_hashes = leaf_hashes.subspan(left);
            size1 -= left;
            verifier_has_it = false;
        }
    }
    if (!verifier_has_it) {
        proof.push_back(merkle_root(leaf_hashes));
    }
    std::ranges::reverse(proof);
    return proof;
}

bool verify_inclusion(std::uint64_t leaf_index, std::uint64_t tree_size, const digest& leaf,
                      std::span<const digest> proof, const digest& root) {
    if (leaf_index >= tree_size) {
        return false;
    }
    upward_path path(leaf_index, tree_size - 1);
    digest hash = leaf;
    for (const digest& sibling : proof) {
        if (path.at_root()) {
            return false;
        }
        if (path.sibling_is_left()) {
            hash = node_hash(sibling, hash);
            path.rise_to_left_sibling();
        } else {
            hash = node_hash(hash, sibling);
        }
        path.rise();
    }
    return path.at_root() && hash == root;
}

bool verify_consistency(std::uint64_t size1, std::uint64_t size2, const digest& root1, const digest& root2,
                        std::span<const digest> proof) {
    if (size1 == 0 || size1 > size2) {
        return false;
    }
    if (size1 == size2) {
        return proof.empty() && root1 == root2;
    }
    if (proof.empty()) {
        return false;
    }
    // The walk starts at the last complete subtree of the earlier tree. If that is the whole earlier tree, its root is
    // not part of the proof.
    upward_path path(size1 - 1, size2 - 1);
    for (std::uint64_t node = size1 - 1; is_odd(node); node >>= 1) {
        path.rise();
    }
    const bool starts_at_root1 = std::has_single_bit(size1);
    digest hash1 = starts_at_root1 ? root1 : proof.front();
    digest hash2 = hash1;
    for (const digest& sibling : proof.subspan(starts_at_root1 ? 0 : 1)) {
        if (path.at_root()) {
            return false;
        }
        if (path.sibling_is_left()) {
            hash1 = node_hash(sibling, hash1);
            hash2 = node_hash(sibling, hash2);
            path.rise_to_left_sibling();
        } else {
            hash2 = node_hash(hash2, sibling);
        }
        path.rise();
    }
    return path.at_root() && hash1 == root1 && hash2 == root2;
}

}  // namespace vembed
