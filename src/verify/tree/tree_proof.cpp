#include <vembed/verify/tree_proof.hpp>

#include <vembed/verify/merkle.hpp>

#include "verify/hash/local_hasher.hpp"

namespace vembed {
namespace {

// The node above a last node of a level that has no sibling.
digest alone(const digest& node, const tree_scheme& scheme) {
    return scheme.odd == odd_rule::duplicate ? tree_node(node, node, scheme.node) : node;
}

}  // namespace

digest tree_leaf(const input_digests& input, leaf_encoding encoding) {
    switch (encoding) {
        case leaf_encoding::prefixed: return input.prefixed;
        case leaf_encoding::plain:
        case leaf_encoding::as_digest: return input.text;
        case leaf_encoding::prefixed_digest: return leaf_hash(input.text);
        case leaf_encoding::hex: return sha256_of(to_hex(input.text));
    }
    return input.text;
}

digest tree_leaf(const digest& commitment, leaf_encoding encoding) {
    switch (encoding) {
        case leaf_encoding::prefixed:
        case leaf_encoding::prefixed_digest: return leaf_hash(commitment);
        case leaf_encoding::plain: return sha256_of(commitment);
        case leaf_encoding::as_digest: return commitment;
        case leaf_encoding::hex: return sha256_of(to_hex(commitment));
    }
    return commitment;
}

digest tree_node(const digest& left, const digest& right, node_encoding encoding) {
    if (encoding == node_encoding::prefixed) {
        return node_hash(left, right);
    }
    if (encoding == node_encoding::hex) {
        return sha256_of(to_hex(left) + to_hex(right));
    }
    sha256& hasher = verify::local_hasher();
    hasher.update(left);
    hasher.update(right);
    return hasher.finish();
}

// Each complete pair becomes a node of the level above.
void tree_path_builder::add_node(std::size_t at, digest node) {
    for (;; ++at) {
        if (at == levels_.size()) {
            levels_.emplace_back();
        }
        level& here = levels_[at];
        const std::uint64_t number = here.nodes++;
        if (at < tree_path_max && number == ((index_ >> at) ^ 1U)) {
            here.sibling = node;
        }
        if (number % 2 == 0) {
            here.last = node;
            return;
        }
        node = tree_node(here.last, node, scheme_.node);
    }
}

std::optional<tree_path> tree_path_builder::finish() {
    if (index_ >= size()) {
        return std::nullopt;
    }
    for (std::size_t at = 0; at + 1 < levels_.size() || levels_[at].nodes > 1; ++at) {
        if (levels_[at].nodes % 2 != 0) {
            add_node(at + 1, alone(levels_[at].last, scheme_));
        }
    }
    tree_path path;
    for (const level& each : levels_) {
        if (each.sibling) {
            path.siblings.push_back(*each.sibling);
        }
    }
    path.root = levels_.back().last;
    return path;
}

std::optional<tree_path> find_tree_path(std::span<const digest> leaves, std::uint64_t index,
                                        const tree_scheme& scheme) {
    tree_path_builder builder(index, scheme);
    for (const digest& leaf : leaves) {
        builder.add(leaf);
    }
    return builder.finish();
}

std::optional<digest> fold_tree_path(std::uint64_t index, std::uint64_t size, const digest& leaf,
                                     std::span<const digest> siblings, const tree_scheme& scheme) {
    if (index >= size) {
        return std::nullopt;
    }
    digest node = leaf;
    for (; size > 1; index /= 2, size -= size / 2) {
        if (index % 2 == 0 && index + 1 == size) {
            node = alone(node, scheme);
            continue;
        }
        if (siblings.empty()) {
            return std::nullopt;
        }
        node = index % 2 == 0 ? tree_node(node, siblings.front(), scheme.node)
                              : tree_node(siblings.front(), node, scheme.node);
        siblings = siblings.subspan(1);
    }
    return siblings.empty() ? std::optional(node) : std::nullopt;
}

}  // namespace vembed
