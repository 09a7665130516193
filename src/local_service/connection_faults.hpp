#pragma once
/// Connections that are cut at a random byte of a request or of its response.

#include <cstdint>

#include <vembed/testing/local_service.hpp>

namespace vembed::local_service {

/// Pure: the same question always has the same answer.
class connection_faults {
public:
    /// `drop`: the probability for a request that its connection is cut.
    connection_faults(double drop, std::uint64_t seed) : drop_(drop), seed_(seed) {}

    [[nodiscard]] testing::service_arrival arrive(std::uint64_t ordinal, std::uint64_t expected_size) const;

    /// Decides whether and at which byte the response is cut.
    void cut(std::uint64_t ordinal, testing::service_response& response) const;

private:
    double drop_;
    std::uint64_t seed_;
};

}  // namespace vembed::local_service
