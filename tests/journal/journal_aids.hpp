#pragma once
/// What the tests of the journal share.

#include <vembed/journal/journal.hpp>

namespace vembed::testing {

/// Of a run.
inline run_identity some_identity() {
    run_identity id;
    id.service = "https://api.example";
    id.model = "bge";
    id.corpus = "abc";
    return id;
}

}  // namespace vembed::testing
