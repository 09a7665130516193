#pragma once
/// @file
/// The registry of schemes: over which bytes a service may take its receipt hash, roots and commitments.
///
/// The remote service says that receipt_hash is a SHA-256 over the receipt itself, that the roots are Merkle roots and
/// that commitments are SHA-256 in hex. It says neither the JSON form, nor the leaves' and nodes' encoding, nor the
/// tree's shape (wire contract, "Receipts: what is and is not specified"). So each of these is a named choice, and a
/// scheme is one choice of each: plain data. Names are stable; they are what pins are stored as.
///
/// The default scheme is "jcs/without-receipt_hash/leaf-00/node-01/rfc6962" (RFC 8785 and RFC 6962): the local
/// service's. For any other service every scheme here is an assumption until it has reproduced a value.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// How the receipt is written to be hashed.
enum class json_encoding : std::uint8_t {
    jcs,           ///< "jcs": RFC 8785.
    sorted_ascii,  ///< "sorted-ascii": keys by code point, no white space, escapes beyond ASCII, numbers as received.
    as_sent,       ///< "as-sent": members in the order received, no white space, else as RFC 8785.
};

/// What becomes of the field that cannot be part of its own hash.
enum class hash_field : std::uint8_t {
    without,  ///< "without-receipt_hash": left out.
    empty,    ///< "empty-receipt_hash": its value is "".
};

/// How a leaf's hash is made. A leaf of inputs_root has the input's text as bytes and their SHA-256 as digest; a leaf
/// of outputs_root has a chunk's commitment as digest and its 32 bytes as bytes.
enum class leaf_encoding : std::uint8_t {
    prefixed,         ///< "leaf-00": SHA-256(0x00 ‖ bytes), RFC 6962.
    plain,            ///< "leaf-plain": SHA-256(bytes).
    as_digest,        ///< "leaf-digest": the digest itself. For outputs only: for inputs it is leaf-plain.
    prefixed_digest,  ///< "leaf-00-digest": SHA-256(0x00 ‖ digest). For inputs only: for outputs it is leaf-00.
    hex,              ///< "leaf-hex": SHA-256(the digest's 64 lower-case hex digits).
};

/// How a node's hash is made of the two nodes below it.
enum class node_encoding : std::uint8_t {
    prefixed,  ///< "node-01": SHA-256(0x01 ‖ left ‖ right), RFC 6962.
    plain,     ///< "node-plain": SHA-256(left ‖ right).
    hex,       ///< "node-hex": SHA-256(hex of left ‖ hex of right), lower case.
};

/// What becomes of the last node of a level without a sibling.
enum class odd_rule : std::uint8_t {
    rfc6962,    ///< "rfc6962": it moves up as it is. That gives the RFC's shape, also known as "promoted odd node".
    duplicate,  ///< "duplicate": it is paired with itself, as Bitcoin does.
};

/// How a chunk's bytes are committed to.
enum class commitment_encoding : std::uint8_t {
    sha256,        ///< "sha256": SHA-256 of the bytes. Specified for POST /verify, implied for chunks.
    sha256_twice,  ///< "sha256-twice": SHA-256 of that SHA-256.
};

/// How a receipt_hash is taken, e.g. "jcs/without-receipt_hash".
class hash_scheme {
public:
    json_encoding json = json_encoding::jcs;
    hash_field field = hash_field::without;

    constexpr hash_scheme() = default;
    constexpr hash_scheme(json_encoding the_json, hash_field the_field) : json(the_json), field(the_field) {}
    friend bool operator==(const hash_scheme&, const hash_scheme&) = default;
};

/// How a root is taken, e.g. "leaf-00/node-01/rfc6962".
class tree_scheme {
public:
    leaf_encoding leaf = leaf_encoding::prefixed;
    node_encoding node = node_encoding::prefixed;
    odd_rule odd = odd_rule::rfc6962;

    constexpr tree_scheme() = default;
    constexpr tree_scheme(leaf_encoding the_leaf, node_encoding the_node, odd_rule the_odd)
        : leaf(the_leaf), node(the_node), odd(the_odd) {}
    friend bool operator==(const tree_scheme&, const tree_scheme&) = default;
};

/// All that a service needs to issue receipts under, e.g. "jcs/without-receipt_hash/leaf-00/node-01/rfc6962". Its tree
/// is that of both inputs and outputs, for which the pins name a tree each.
class receipt_scheme {
public:
    hash_scheme hash;
    tree_scheme tree;

    constexpr receipt_scheme() = default;
    constexpr receipt_scheme(hash_scheme the_hash, tree_scheme the_tree) : hash(the_hash), tree(the_tree) {}
    friend bool operator==(const receipt_scheme&, const receipt_scheme&) = default;
};

/// A scheme's name.
std::string name_of(const hash_scheme& scheme);
std::string name_of(const tree_scheme& scheme);
std::string name_of(const receipt_scheme& scheme);
std::string name_of(commitment_encoding encoding);

/// The scheme of that name; nothing if there is none.
std::optional<hash_scheme> hash_scheme_named(std::string_view name);
std::optional<tree_scheme> tree_scheme_named(std::string_view name);
std::optional<receipt_scheme> receipt_scheme_named(std::string_view name);
std::optional<commitment_encoding> commitment_encoding_named(std::string_view name);

/// The schemes that are tried if nothing is pinned, the default first. The two lists of trees differ in their leaves
/// (see leaf_encoding): no two schemes of one list are the same by definition.
const std::vector<hash_scheme>& hash_schemes();
const std::vector<tree_scheme>& input_tree_schemes();
const std::vector<tree_scheme>& output_tree_schemes();
const std::vector<commitment_encoding>& commitment_encodings();

/// What every leaf encoding needs of an input, without the text: 64 bytes an input, whatever its length.
class input_digests {
public:
    digest text{};      ///< SHA-256(text).
    digest prefixed{};  ///< SHA-256(0x00 ‖ text).

    input_digests() = default;
    explicit input_digests(std::string_view input_text);
};

/// The receipt's hash in lower-case hex. `receipt_json` is the response as received, so that fields this version does
/// not know are hashed too. errc::protocol if the text has no such form (see canonical_json).
result<std::string> receipt_hash(std::string_view receipt_json, const hash_scheme& scheme);

/// The root, in lower-case hex, over a job's inputs in their order. Without inputs: the SHA-256 of nothing.
std::string inputs_root(std::span<const input_digests> inputs, const tree_scheme& scheme);

/// The root, in lower-case hex, over the chunks' commitments in their order.
std::string outputs_root(std::span<const digest> chunk_commitments, const tree_scheme& scheme);

/// A chunk's commitment, in lower-case hex, from the SHA-256 of its bytes.
std::string chunk_commitment(const digest& sha256_of_bytes, commitment_encoding encoding);

}  // namespace vembed
