#pragma once
/// A quota ledger's state as bytes, for the file that processes share.

#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

#include "policy/quota/ledger_state.hpp"

namespace vembed::admission {

/// Equal states give equal bytes, about 10 for each bucket and 20 for each reservation.
std::string encode(const policy::ledger_state& state);

/// The state that encode() wrote; nothing if the bytes are damaged, of another version, or not a possible state.
std::optional<policy::ledger_state> decode(std::string_view bytes);

/// Moves every time in the state by `by`, from one clock to another. Times that never come stay so. Usage may then lie
/// before the new clock's zero; every other time is at least zero.
void shift_times(policy::ledger_state& state, monotonic_clock::duration by);

}  // namespace vembed::admission
