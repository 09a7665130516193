#pragma once
/// The jobs of all accounts, and the rules by which old jobs are forgotten.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <vembed/core/time.hpp>
#include <vembed/verify/sha256.hpp>

#include "service/endpoints/job_body.hpp"
#include "service/faults/fault_plan.hpp"

namespace vembed::service {

/// Rows as bytes, kept alive by `owner`.
class shared_rows {
public:
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;

    shared_rows() = default;
};

enum class job_state : std::uint8_t { executing, proving, settled, failed, refunded };

std::string_view to_string(job_state state) noexcept;

/// The progress of one chunk of a job.
enum class chunk_stage : std::uint8_t { executing, proving, verified };

class job_record {
public:
    std::uint64_t number = 0;  ///< Identifies the job's draws.
    std::string id;
    std::string receipt_id;  ///< Shown once the job is settled.
    std::size_t account = 0;
    std::size_t model = 0;  ///< Index in the catalog.
    std::uint32_t chunk_size = 0;
    std::uint64_t rows = 0;
    text_list texts;
    monotonic_time submitted_at{};
    monotonic_time settles_at{};
    wall_time settles_wall{};
    std::string created_at;
    job_fate fate = job_fate::settled;
    std::vector<bool> poisoned;  ///< One for each chunk; empty if none is poisoned.
    bool older_form = false;     ///< Submitted with a specification.
    bool revised = false;        ///< Made after the model changed.
    std::optional<testing::proof_fault> spoiled;
    std::string claimed_commitment;  ///< The commitment that a POST /verify request claimed.

    // These are made when they are first needed.
    shared_rows output;               ///< Dropped if the cache is full, and then made again.
    std::vector<digest> commitments;  ///< One for each chunk.
    std::string receipt;              ///< The receipt's JSON.

    job_record() = default;

    [[nodiscard]] std::uint64_t chunks() const noexcept { return (rows + chunk_size - 1) / chunk_size; }
    [[nodiscard]] job_state state_at(monotonic_time now) const noexcept;
    /// While the job is EXECUTING, its chunks are executed one after the other, each in an equal share of the time;
    /// while it is PROVING, they are verified in the same way, the last one when the job settles.
    [[nodiscard]] chunk_stage stage_of(std::uint64_t chunk, monotonic_time now) const noexcept;
    /// Bytes of memory, for the store's limit; includes what is made later.
    [[nodiscard]] std::uint64_t memory() const noexcept;
};

/// Bounded: if `bytes_max` is reached, the jobs that were delivered first are forgotten, then those that ended more
/// than a day ago; if neither is enough, no job is taken.
class job_store {
public:
    explicit job_store(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    /// Whether a job of about `bytes` can be kept; forgets older ones to free memory.
    bool make_room(std::uint64_t bytes, monotonic_time now);

    /// Takes a job. The reference is valid until the job is forgotten, that is at least until the next make_room().
    job_record& add(std::unique_ptr<job_record> job);

    [[nodiscard]] job_record* find(std::string_view id);
    [[nodiscard]] job_record* find_receipt(std::string_view receipt_id);

    /// Notes that the job's result was handed out: the job may be forgotten before others.
    void delivered(job_record& job);

    [[nodiscard]] std::size_t size() const noexcept { return jobs_.size(); }
    [[nodiscard]] std::uint64_t memory() const noexcept { return bytes_; }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    struct kept_job {
        std::unique_ptr<job_record> record;
        std::uint64_t bytes = 0;
        bool delivered = false;
    };
    void forget(const std::string& id);

    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::unordered_map<std::string, kept_job, text_hash, std::equal_to<>> jobs_;
    std::unordered_map<std::string, job_record*, text_hash, std::equal_to<>> receipts_;
    std::deque<std::string> delivered_;  // Ids, the first delivered first; may name forgotten jobs.
    std::deque<std::string> by_age_;     // Ids, the oldest first; may name forgotten jobs.
};

}  // namespace vembed::service
