#pragma once
/// The store behind presigned URLs, as an S3-like service.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/testing/local_service.hpp>

#include "cyberun_service/tasks.hpp"

namespace vembed::cyberun_service {

class store final : public testing::local_service {
public:
    explicit store(std::shared_ptr<state> of) : state_(std::move(of)) {}

    testing::service_arrival arrive(std::uint64_t expected_size) override;
    testing::service_response handle(std::uint64_t ordinal, const testing::service_request& request, monotonic_time now,
                                     wall_time wall) override;

private:
    testing::service_response serve(std::uint64_t ordinal, const testing::service_request& request, wall_time wall);
    testing::service_response put(const testing::service_request& request, const std::string& key);
    testing::service_response get(std::uint64_t ordinal, const testing::service_request& request,
                                  const std::string& key);
    [[nodiscard]] std::optional<file_content> find(std::string_view key) const;

    std::shared_ptr<state> state_;
};

}  // namespace vembed::cyberun_service
