#include "aitbc_service/jobs.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <boost/json/object.hpp>
#include <vembed/verify/sha256.hpp>

#include "aitbc_service/assumptions.hpp"
#include "local_service/draw.hpp"

namespace vembed::aitbc_service {
namespace {

using local_service::draw;
using local_service::draw_hex;
using local_service::draw_strikes;

job_fate fate_of(const testing::aitbc_options& options, std::uint64_t number) {
    const std::array<std::pair<double, job_fate>, 4> fates{{{options.faults.never_runs, job_fate::never_runs},
                                                            {options.faults.failed, job_fate::failed},
                                                            {options.faults.failed_result, job_fate::failed_result},
                                                            {options.faults.no_result, job_fate::no_result}}};
    for (const auto& [rate, fate] : fates) {
        const std::uint64_t about = number ^ local_service::mix64(static_cast<std::uint64_t>(fate));
        if (draw_strikes(options.seed, about, purpose::fate, rate)) {
            return fate;
        }
    }
    return job_fate::done;
}

}  // namespace

std::string_view word_of(job_state state) noexcept {
    switch (state) {
        case job_state::queued: return "QUEUED";
        case job_state::running: return "RUNNING";
        case job_state::completed: return "COMPLETED";
        case job_state::failed: return "FAILED";
        case job_state::canceled: return "CANCELED";
        case job_state::expired: return "EXPIRED";
    }
    return "";
}

monotonic_time job::ended() const {
    const monotonic_time at = created + runs_until;
    if (!late) {
        return at;
    }
    return std::max(at, canceled.value_or(expires())) + late_by;
}

job_state job::state_at(monotonic_time now) const {
    const bool has_result = fate != job_fate::never_runs && now >= ended();
    const bool ends_in_time = ended() < expires() && (!canceled || ended() < *canceled);
    if (has_result && (ends_in_time || late)) {
        return fate == job_fate::failed ? job_state::failed : job_state::completed;
    }
    if (canceled && now >= *canceled) {
        return job_state::canceled;
    }
    if (now >= expires()) {
        return job_state::expired;
    }
    return now >= started() && fate != job_fate::never_runs ? job_state::running : job_state::queued;
}

wall_time job::wall_of(monotonic_time at) const {
    return created_at + std::chrono::floor<std::chrono::milliseconds>(at - created);
}

boost::json::value job::result_at(monotonic_time now) const {
    if (state_at(now) != job_state::completed || fate == job_fate::no_result) {
        return nullptr;
    }
    if (fate == job_fate::failed_result) {
        return boost::json::object{{"status", "failed"}, {"error", "the miner ran out of memory (a planned fault)"}};
    }
    const std::string digest = to_hex(sha256_of(std::as_bytes(std::span(asked.input))));
    return boost::json::object{{"text", "result of " + digest.substr(0, 16)},
                               {"model", asked.model},
                               {"input_bytes", asked.input.size()},
                               {"input_sha256", digest}};
}

job& job_store::add(submission asked, std::size_t client, monotonic_time now, wall_time wall) {
    auto made = std::make_unique<job>();
    made->number = ++made_;
    made->id = draw_hex(options_.seed, made->number, purpose::job_id, 32);
    made->client = client;
    made->fate = fate_of(options_, made->number);
    made->late = draw_strikes(options_.seed, made->number, purpose::late, options_.faults.late_result);
    made->created = now;
    made->created_at = wall;
    made->queued_for = std::chrono::milliseconds(options_.job_time_ms / assumptions::queued_part);
    made->runs_until = std::chrono::milliseconds(options_.job_time_ms);
    made->ttl = std::chrono::seconds(asked.ttl_s.value_or(options_.ttl_s));
    made->late_by = std::chrono::milliseconds(options_.faults.late_by_ms);
    made->asked = std::move(asked);
    if (jobs_.size() >= std::max<std::uint64_t>(options_.jobs_max, 1)) {
        by_id_.erase(jobs_.front()->id);
        jobs_.pop_front();
    }
    job& kept = *jobs_.emplace_back(std::move(made));
    by_id_[kept.id] = &kept;
    return kept;
}

job* job_store::find(std::string_view id, std::size_t client) {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() || found->second->client != client ? nullptr : found->second;
}

monotonic_time job_store::shown_as_of(job& of, monotonic_time now) const {
    const auto stale = std::chrono::milliseconds(options_.stale_ms);
    if (!of.seen || now - *of.seen >= stale) {
        of.seen = now;
    }
    return *of.seen;
}

}  // namespace vembed::aitbc_service
