#include "aitbc_service/job_views.hpp"

#include <algorithm>
#include <chrono>

#include "aitbc_service/assumptions.hpp"
#include "local_service/draw.hpp"
#include "text/iso_time.hpp"

namespace vembed::aitbc_service {
namespace {

namespace json = boost::json;
using local_service::draw_hex;

json::string word(job_state state) {
    const std::string_view text = word_of(state);
    return json::string(text.data(), text.size());
}

double seconds_of(const job& of) {
    return std::chrono::duration<double>(of.runs_until).count();
}

bool has_run(const job& of, monotonic_time at) {
    return of.fate != job_fate::never_runs && at >= of.started() && (!of.canceled || of.started() < *of.canceled);
}

std::string miner_of(const job& of, std::uint64_t seed) {
    return "miner-" + draw_hex(seed, of.number % 8, purpose::miner, 8);
}

// The coordinator writes times with a fraction and without a zone.
std::string zoneless(wall_time at) {
    std::string text = text::format_iso_time(at);
    text.pop_back();
    std::string fraction = std::to_string(1'000'000 + (at.time_since_epoch().count() % 1000) * 1000);
    return text + "." + fraction.substr(1);
}

int progress_of(const job& of, monotonic_time at) {
    const job_state state = of.state_at(at);
    if (state == job_state::completed) {
        return 100;
    }
    if (state != job_state::running || of.runs_until <= of.queued_for) {
        return 0;
    }
    const auto whole = std::chrono::duration<double>(of.runs_until - of.queued_for);
    return std::min(99, static_cast<int>(std::chrono::duration<double>(at - of.started()) / whole * 100));
}

}  // namespace

json::object accepted_view(const job& of) {
    return {{"job_id", of.id},
            {"estimated_cost", seconds_of(of) * assumptions::cost_per_second},
            {"estimated_time_seconds", seconds_of(of)}};
}

json::object docs_view(const job& of, monotonic_time as_of, std::uint64_t seed) {
    const job_state state = of.state_at(as_of);
    const bool ran = has_run(of, as_of);
    json::object view{{"job_id", of.id}, {"status", word(state)}, {"progress", progress_of(of, as_of)}};
    view["miner_id"] = ran ? json::value(miner_of(of, seed)) : json::value(nullptr);
    view["created_at"] = text::format_iso_time(of.created_at);
    view["started_at"] = ran ? json::value(text::format_iso_time(of.wall_of(of.started()))) : json::value(nullptr);
    const bool done = state == job_state::completed || state == job_state::failed;
    view["completed_at"] = done ? json::value(text::format_iso_time(of.wall_of(of.ended()))) : json::value(nullptr);
    view["result"] = of.result_at(as_of);
    if (state == job_state::failed) {
        view["error"] = "the job failed (a planned fault)";
    }
    return view;
}

json::object docs_entry(const job& of, monotonic_time as_of) {
    return {{"job_id", of.id}, {"status", word(of.state_at(as_of))}, {"model", of.asked.model}};
}

json::object coordinator_view(const job& of, monotonic_time as_of, std::uint64_t seed, bool with_payload) {
    const job_state state = of.state_at(as_of);
    json::object view{{"job_id", of.id}, {"state", word(state)}};
    view["assigned_miner_id"] = has_run(of, as_of) ? json::value(miner_of(of, seed)) : json::value(nullptr);
    view["requested_at"] = zoneless(of.created_at);
    view["expires_at"] = zoneless(of.wall_of(of.expires()));
    view["error"] = state == job_state::failed ? json::value("the job failed (a planned fault)") : json::value(nullptr);
    view["payment_id"] = nullptr;
    view["payment_status"] = nullptr;
    if (with_payload) {
        view["payload"] = of.asked.payload;
        view["result"] = of.result_at(as_of);
    }
    return view;
}

json::object receipt_view(const job& of, const std::string& key, std::uint64_t seed) {
    const double price = seconds_of(of) * assumptions::cost_per_second;
    const auto epoch = [](wall_time at) {
        return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    };
    json::object view{{"version", "1.0"},
                      {"receipt_id", draw_hex(seed, of.number, purpose::receipt_id, 32)},
                      {"job_id", of.id},
                      {"provider", miner_of(of, seed)},
                      {"client", key},
                      {"status", "COMPLETED"},
                      {"units", seconds_of(of)},
                      {"unit_type", "gpu_seconds"},
                      {"unit_price", assumptions::cost_per_second},
                      {"price", price},
                      {"started_at", epoch(of.wall_of(of.started()))},
                      {"completed_at", epoch(of.wall_of(of.ended()))}};
    json::object metadata{{"job_payload", of.asked.payload}, {"job_constraints", of.asked.constraints}};
    metadata["result"] = of.result_at(of.ended());
    metadata["metrics"] = json::object();
    view["metadata"] = std::move(metadata);
    view["signature"] = json::object{{"alg", "Ed25519"}, {"key_id", "local"}, {"sig", "bG9jYWw"}};
    view["attestations"] = json::array();
    return view;
}

}  // namespace vembed::aitbc_service
