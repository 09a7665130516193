#pragma once
/// The jobs and their lives.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/json/value.hpp>
#include <vembed/testing/aitbc_service.hpp>

namespace vembed::aitbc_service {

enum class purpose : std::uint16_t {
    api_key,
    job_id,
    receipt_id,
    miner,
    fate,
    late,
    lost_reply,
    bad_gateway,
    internal_error,
    acts_first,
    rate_limited,
    refusal_form,
};

enum class job_state : std::uint8_t { queued, running, completed, failed, canceled, expired };

/// "QUEUED" and so on.
std::string_view word_of(job_state state) noexcept;

constexpr bool is_terminal(job_state state) noexcept {
    return state != job_state::queued && state != job_state::running;
}

/// How a job ends if nobody cancels it.
enum class job_fate : std::uint8_t { done, failed, failed_result, no_result, never_runs };

/// What a submission asked for, whatever its dialect.
class submission {
public:
    std::string model;
    std::string input;
    std::string output_format = "json";
    boost::json::value payload;
    boost::json::value constraints;
    std::optional<std::uint64_t> ttl_s;

    submission() = default;
};

/// One job. Its state at a time is a function of that time; only a cancellation changes it.
class job {
public:
    std::uint64_t number = 0;
    std::string id;
    std::size_t client = 0;
    submission asked;
    job_fate fate = job_fate::done;
    bool late = false;
    monotonic_time created{};
    wall_time created_at{};
    monotonic_clock::duration queued_for{};
    monotonic_clock::duration runs_until{};  ///< From its creation.
    monotonic_clock::duration ttl{};
    monotonic_clock::duration late_by{};
    std::optional<monotonic_time> canceled;
    std::optional<monotonic_time> seen;  ///< When its status was last looked up, for a service with stale answers.

    job() = default;

    [[nodiscard]] job_state state_at(monotonic_time now) const;

    /// The wall time of a moment of this job.
    [[nodiscard]] wall_time wall_of(monotonic_time at) const;
    [[nodiscard]] monotonic_time started() const { return created + queued_for; }
    /// When the result came or comes.
    [[nodiscard]] monotonic_time ended() const;
    [[nodiscard]] monotonic_time expires() const { return created + ttl; }

    /// The result, which depends only on what was asked for; null if there is none.
    [[nodiscard]] boost::json::value result_at(monotonic_time now) const;
};

/// All jobs of a service, newest last.
class job_store {
public:
    explicit job_store(const testing::aitbc_options& options) : options_(options) {}

    job& add(submission asked, std::size_t client, monotonic_time now, wall_time wall);

    /// Null if there is none of that client.
    job* find(std::string_view id, std::size_t client);

    [[nodiscard]] const std::deque<std::unique_ptr<job>>& all() const noexcept { return jobs_; }

    /// The time as of which the status of a job is told now.
    [[nodiscard]] monotonic_time shown_as_of(job& of, monotonic_time now) const;

private:
    const testing::aitbc_options& options_;
    std::deque<std::unique_ptr<job>> jobs_;
    std::unordered_map<std::string, job*> by_id_;
    std::uint64_t made_ = 0;
};

}  // namespace vembed::aitbc_service
