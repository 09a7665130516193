#pragma once
/// One SHA-256 context a thread for hashes that are finished where they are begun: making a context costs several times
/// what hashing a tree node does.

#include <vembed/verify/sha256.hpp>

namespace vembed::verify {

/// The calling thread's hasher, between messages. Whoever takes it must finish() before anyone else may take it.
sha256& local_hasher();

}  // namespace vembed::verify
