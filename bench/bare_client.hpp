#pragma once
/// The yardsticks: a bare Beast coroutine client, and a blocking read() loop. Neither checks, retries, limits or logs
/// anything; they only move bytes as fast as the libraries let one who writes the requests by hand.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vembed::bench {

enum class checks : std::uint8_t { none, hash, receipt };

class bare_plan {
public:
    std::uint16_t port = 0;
    std::string ca_file;  ///< Empty: plain.
    std::string api_key;
    std::uint32_t connections = 8;
    std::uint64_t rows_per_job = 1000;
    checks level = checks::none;
    const std::vector<std::string>* texts = nullptr;  ///< Of one job, used for all.
    std::span<float> output;                          ///< Rows of all jobs.

    bare_plan() = default;
};

/// Submits, waits for and fetches jobs until the output is full: the same requests as the client's. Returns the id of
/// the job that ended last.
std::string run_bare_jobs(const bare_plan& plan);

/// `count` times GET `target` on `connections` kept-alive connections, reading each response whole.
void run_bare_gets(const bare_plan& plan, const std::string& target, std::uint64_t count);

/// Downloads the output of a job of plan.rows_per_job rows again and again with blocking read() until plan.output is
/// full. Plain only.
void run_read_floor(const bare_plan& plan, const std::string& job_id);

}  // namespace vembed::bench
