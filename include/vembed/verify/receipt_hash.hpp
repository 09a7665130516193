#pragma once
/// @file
/// What a receipt's hashes are taken over: the scheme "RFC 8785 + RFC 6962".
///
/// The remote service says that receipt_hash is a SHA-256 over the receipt itself and that the roots are Merkle roots;
/// it does not say over which bytes, nor which tree. The scheme here is the local service's. For any other service it
/// is an assumption: a match pins it, no match at all shows nothing.

#include <span>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

namespace vembed {

/// The SHA-256, in lower-case hex, of the receipt's canonical JSON (RFC 8785) without its member "receipt_hash".
/// `receipt_json` is the response as received, so that fields this version does not know are hashed too. errc::protocol
/// as for canonical_json.
result<std::string> receipt_hash(std::string_view receipt_json);

/// The RFC 6962 root, in hex, over the bytes of a job's input texts in their order.
std::string inputs_root(std::span<const std::string> texts);

/// The RFC 6962 root, in hex, whose leaves are the chunks' commitments (the 32 raw bytes each) in their order.
std::string outputs_root(std::span<const digest> chunk_commitments);

}  // namespace vembed
