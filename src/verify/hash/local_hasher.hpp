#pragma once
/// One SHA-256 context a thread for hashes that one function begins and finishes. Making a context costs several times
/// what hashing a tree node does.

#include <vembed/verify/sha256.hpp>

namespace vembed::verify {

/// The calling thread's hasher, between messages. A caller must finish() before another one may use it.
sha256& local_hasher();

}  // namespace vembed::verify
