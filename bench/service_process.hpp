#pragma once
/// The local service in a process of its own, and the certificate it shows.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness.hpp"

namespace vembed::bench {

/// Model whose rows are precomputed, so that the service limits nothing.
inline constexpr const char* bench_model = "bench-1024";
inline constexpr std::uint64_t bench_dimensions = 1024;
inline constexpr const char* bench_small_model = "bench-8";

/// A certificate for 127.0.0.1 signed by itself, in a folder that goes with this object.
class certificate {
public:
    certificate();
    certificate(const certificate&) = delete;
    certificate& operator=(const certificate&) = delete;

    [[nodiscard]] std::string file() const { return folder_.file("certificate.pem"); }
    [[nodiscard]] std::string key_file() const { return folder_.file("key.pem"); }

private:
    scratch_folder folder_;
};

class service_process {
public:
    /// `with`: serve TLS. Quotas are out of the way.
    service_process(std::optional<int> core, const certificate* with, std::uint32_t settle_delay_ms = 0);

    std::string base_url;
    std::string api_key;
    std::string ca_file;  ///< Empty without TLS.

    [[nodiscard]] std::uint16_t port() const;

private:
    child process_;
};

}  // namespace vembed::bench
