#pragma once
/// The one model whose rows a run takes: pure.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/core/error.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::bulk {

/// The first receipt, or the first rows of the cache, name the specification that all others must name.
class run_model {
public:
    run_model() = default;

    void adopt(const run_facts& facts);
    void write_to(run_facts& facts) const;

    /// `dimensions` is the catalog's figure, 0 if it has none. The figure of earlier jobs of the run goes first.
    void expect(std::uint64_t dimensions) noexcept { expected_ = dimensions_ != 0 ? dimensions_ : dimensions; }

    /// Whether the sink must be told the size of the result now: once, as soon as both figures are known.
    [[nodiscard]] bool size_is_due(const std::optional<std::uint64_t>& rows, std::uint64_t dimensions) noexcept;

    /// Returns the error protocol if the output cannot be of this run's rows.
    [[nodiscard]] std::optional<error> refuse_output(std::uint64_t dimensions) const;
    /// Takes a job's receipt as one of the run's model, or returns model_changed; `spec_hash` is empty if there is
    /// none.
    [[nodiscard]] std::optional<error> admit(const std::string& job_id, const std::string& spec_hash,
                                             std::uint64_t dimensions, bool cache_in_use);
    /// Takes the cache's rows as of the run's model, or returns model_changed; `spec_hash` is empty if there are none.
    [[nodiscard]] std::optional<error> admit_cached(const std::string& spec_hash);

    [[nodiscard]] const std::string& spec_hash() const noexcept { return spec_hash_; }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }
    [[nodiscard]] std::uint64_t dimensions_expected() const noexcept { return expected_; }

private:
    std::string spec_hash_;
    std::uint64_t dimensions_ = 0;
    std::uint64_t expected_ = 0;  ///< Used before the first job's output.
    bool size_told_ = false;
};

}  // namespace vembed::bulk
