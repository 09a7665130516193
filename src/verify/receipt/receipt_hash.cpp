#include <vembed/verify/receipt_hash.hpp>

#include <vembed/verify/canonical_json.hpp>
#include <vembed/verify/merkle.hpp>

namespace vembed {

result<std::string> receipt_hash(std::string_view receipt_json) {
    const auto canonical = canonical_json_without(receipt_json, "receipt_hash");
    if (!canonical) {
        return canonical.error();
    }
    return to_hex(sha256_of(*canonical));
}

std::string inputs_root(std::span<const std::string> texts) {
    merkle_builder tree;
    for (const std::string& text : texts) {
        tree.add(leaf_hash(std::as_bytes(std::span(text))));
    }
    return to_hex(tree.root());
}

std::string outputs_root(std::span<const digest> chunk_commitments) {
    merkle_builder tree;
    for (const digest& commitment : chunk_commitments) {
        tree.add(leaf_hash(commitment));
    }
    return to_hex(tree.root());
}

}  // namespace vembed
