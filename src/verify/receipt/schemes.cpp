#include <vembed/verify/schemes.hpp>

#include <array>
#include <cstddef>
#include <utility>

#include <vembed/verify/merkle.hpp>
#include <vembed/verify/tree_proof.hpp>

#include "verify/json/json_rewrite.hpp"

namespace vembed {
namespace {

// The tables are indexed by the enumerators' values.
constexpr std::array<std::string_view, 3> json_names = {"jcs", "sorted-ascii", "as-sent"};
constexpr std::array<std::string_view, 2> field_names = {"without-receipt_hash", "empty-receipt_hash"};
constexpr std::array<std::string_view, 5> leaf_names = {"leaf-00", "leaf-plain", "leaf-digest", "leaf-00-digest",
                                                        "leaf-hex"};
constexpr std::array<std::string_view, 3> node_names = {"node-01", "node-plain", "node-hex"};
constexpr std::array<std::string_view, 2> odd_names = {"rfc6962", "duplicate"};
constexpr std::array<std::string_view, 2> commitment_names = {"sha256", "sha256-twice"};

constexpr std::array<verify::json_form, 3> json_forms = {
    verify::json_form(verify::member_order::utf16, verify::number_text::ecma, verify::string_text::shortest),
    verify::json_form(verify::member_order::code_point, verify::number_text::literal, verify::string_text::ascii),
    verify::json_form(verify::member_order::as_received, verify::number_text::ecma, verify::string_text::shortest),
};

template <std::size_t N, class Choice>
std::string text_of(const std::array<std::string_view, N>& names, Choice choice) {
    return std::string(names[static_cast<std::size_t>(choice)]);
}

template <class Choice, std::size_t N>
bool take(const std::array<std::string_view, N>& names, std::string_view name, Choice& into) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) {
            into = static_cast<Choice>(i);
            return true;
        }
    }
    return false;
}

// The parts of a name between its slashes; nothing if there are not N of them.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> scheme_parts(std::string_view name) {
    std::array<std::string_view, N> parts;
    for (std::size_t i = 0; i < N; ++i) {
        const auto slash = name.find('/');
        if ((slash == name.npos) != (i + 1 == N)) {
            return std::nullopt;
        }
        parts[i] = name.substr(0, slash);
        name.remove_prefix(slash == name.npos ? name.size() : slash + 1);
    }
    return parts;
}

std::vector<tree_scheme> trees_with(std::span<const leaf_encoding> leaves) {
    std::vector<tree_scheme> trees;
    for (const leaf_encoding leaf : leaves) {
        for (const node_encoding node : {node_encoding::prefixed, node_encoding::plain, node_encoding::hex}) {
            for (const odd_rule odd : {odd_rule::rfc6962, odd_rule::duplicate}) {
                trees.emplace_back(leaf, node, odd);
            }
        }
    }
    return trees;
}

template <class Item>
std::string root_of(std::span<const Item> items, const tree_scheme& scheme) {
    if (items.empty()) {
        return to_hex(sha256_of(std::string_view()));
    }
    std::vector<digest> level;
    level.reserve(items.size());
    for (const Item& item : items) {
        level.push_back(tree_leaf(item, scheme.leaf));
    }
    while (level.size() > 1) {
        const std::size_t pairs = level.size() / 2;
        for (std::size_t i = 0; i < pairs; ++i) {
            level[i] = tree_node(level[2 * i], level[2 * i + 1], scheme.node);
        }
        const bool odd = level.size() % 2 != 0;
        if (odd) {
            const digest last = level.back();
            level[pairs] = scheme.odd == odd_rule::duplicate ? tree_node(last, last, scheme.node) : last;
        }
        level.resize(pairs + (odd ? 1 : 0));
    }
    return to_hex(level.front());
}

}  // namespace

std::string name_of(const hash_scheme& scheme) {
    return text_of(json_names, scheme.json) + "/" + text_of(field_names, scheme.field);
}

std::string name_of(const tree_scheme& scheme) {
    return text_of(leaf_names, scheme.leaf) + "/" + text_of(node_names, scheme.node) + "/" +
           text_of(odd_names, scheme.odd);
}

std::string name_of(const receipt_scheme& scheme) {
    return name_of(scheme.hash) + "/" + name_of(scheme.tree);
}

std::string name_of(commitment_encoding encoding) {
    return text_of(commitment_names, encoding);
}

std::optional<hash_scheme> hash_scheme_named(std::string_view name) {
    const auto parts = scheme_parts<2>(name);
    hash_scheme scheme;
    if (!parts || !take(json_names, (*parts)[0], scheme.json) || !take(field_names, (*parts)[1], scheme.field)) {
        return std::nullopt;
    }
    return scheme;
}

std::optional<tree_scheme> tree_scheme_named(std::string_view name) {
    const auto parts = scheme_parts<3>(name);
    tree_scheme scheme;
    if (!parts || !take(leaf_names, (*parts)[0], scheme.leaf) || !take(node_names, (*parts)[1], scheme.node) ||
        !take(odd_names, (*parts)[2], scheme.odd)) {
        return std::nullopt;
    }
    return scheme;
}

std::optional<receipt_scheme> receipt_scheme_named(std::string_view name) {
    const auto parts = scheme_parts<5>(name);
    if (!parts) {
        return std::nullopt;
    }
    const std::size_t hash_size = (*parts)[0].size() + 1 + (*parts)[1].size();
    const auto hash = hash_scheme_named(name.substr(0, hash_size));
    const auto tree = tree_scheme_named(name.substr(hash_size + 1));
    if (!hash || !tree) {
        return std::nullopt;
    }
    return receipt_scheme(*hash, *tree);
}

std::optional<commitment_encoding> commitment_encoding_named(std::string_view name) {
    commitment_encoding encoding = commitment_encoding::sha256;
    return take(commitment_names, name, encoding) ? std::optional(encoding) : std::nullopt;
}

const std::vector<hash_scheme>& hash_schemes() {
    static const std::vector<hash_scheme> all = {
        {json_encoding::jcs, hash_field::without},          {json_encoding::jcs, hash_field::empty},
        {json_encoding::sorted_ascii, hash_field::without}, {json_encoding::sorted_ascii, hash_field::empty},
        {json_encoding::as_sent, hash_field::without},      {json_encoding::as_sent, hash_field::empty}};
    return all;
}

const std::vector<tree_scheme>& input_tree_schemes() {
    static const std::vector<tree_scheme> all = trees_with(
        std::array{leaf_encoding::prefixed, leaf_encoding::plain, leaf_encoding::prefixed_digest, leaf_encoding::hex});
    return all;
}

const std::vector<tree_scheme>& output_tree_schemes() {
    static const std::vector<tree_scheme> all = trees_with(
        std::array{leaf_encoding::prefixed, leaf_encoding::plain, leaf_encoding::as_digest, leaf_encoding::hex});
    return all;
}

const std::vector<commitment_encoding>& commitment_encodings() {
    static const std::vector<commitment_encoding> all = {commitment_encoding::sha256,
                                                         commitment_encoding::sha256_twice};
    return all;
}

input_digests::input_digests(std::string_view input_text)
    : text(sha256_of(input_text)), prefixed(leaf_hash(std::as_bytes(std::span(input_text)))) {}

result<std::string> receipt_hash(std::string_view receipt_json, const hash_scheme& scheme) {
    const verify::member_edit edit("receipt_hash", scheme.field == hash_field::empty);
    const auto text = verify::rewrite_json(receipt_json, json_forms[static_cast<std::size_t>(scheme.json)], edit);
    if (!text) {
        return text.error();
    }
    return to_hex(sha256_of(*text));
}

std::string inputs_root(std::span<const input_digests> inputs, const tree_scheme& scheme) {
    return root_of(inputs, scheme);
}

std::string outputs_root(std::span<const digest> chunk_commitments, const tree_scheme& scheme) {
    return root_of(chunk_commitments, scheme);
}

std::string chunk_commitment(const digest& sha256_of_bytes, commitment_encoding encoding) {
    return to_hex(encoding == commitment_encoding::sha256 ? sha256_of_bytes : sha256_of(sha256_of_bytes));
}

}  // namespace vembed
