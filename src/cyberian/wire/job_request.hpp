#pragma once
/// A job's request: it is checked before anything is sent, then written in the service's form.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

#include "policy/input/input_rules.hpp"

namespace vembed::cyberian {

/// A request whose parts are stored elsewhere, so that a batch's texts need not be copied to be sent.
class request_view {
public:
    std::string_view model;
    std::string_view spec_yaml;
    std::span<const std::string> inputs;

    request_view() = default;
    // The conversion is implicit, so that any request can be sent.
    request_view(const job_request& whole) : model(whole.model), spec_yaml(whole.spec_yaml), inputs(whole.inputs) {}

    /// What the request asks for: its model, or its specification.
    [[nodiscard]] std::string_view name() const noexcept { return model.empty() ? spec_yaml : model; }
};

/// Returns invalid_argument if the request mixes or lacks the two forms, has no inputs or too many, or has an input
/// that would be refused (the error names its index).
result<void> check(const request_view& request, std::size_t most_inputs = policy::inputs_max);

/// The body of POST /jobs.
std::string write_job_body(const request_view& request);

/// The body of POST /verify.
std::string write_verify_body(const request_view& request, std::string_view claimed_output_commitment);

}  // namespace vembed::cyberian
