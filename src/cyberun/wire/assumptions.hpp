#pragma once
/// What is assumed about Cyberun because its documents do not say it (wire contract section 2, the lines marked [A]).
/// Each assumption is named here and nowhere else.

#include <string_view>

namespace vembed::cyberun::assumed {

/// The id of the file that `download_url` gives without one.
inline constexpr std::string_view single_output_id = "output";

/// A workflow with this `workflow_status` refuses to be run (409 or 412).
inline constexpr std::string_view disabled_status = "disabled";

}  // namespace vembed::cyberun::assumed
