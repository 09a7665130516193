#pragma once
/// A quota ledger's state as bytes, for the file that processes share.

#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

#include "policy/quota/ledger_state.hpp"

namespace vembed::admission {

/// Equal states give equal bytes. About 10 bytes a bucket and 20 a reservation.
std::string encode(const policy::ledger_state& state);

/// The state that encode() wrote; nothing where the bytes are damaged, of another version, or say what no ledger does.
std::optional<policy::ledger_state> decode(std::string_view bytes);

/// Moves every time in the state by `by`, as from one clock to another. What never comes stays so. What was used may
/// come to lie before the new clock's zero; all else comes to lie there at the earliest.
void shift_times(policy::ledger_state& state, monotonic_clock::duration by);

}  // namespace vembed::admission
