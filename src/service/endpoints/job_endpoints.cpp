#include <algorithm>

#include "service/endpoints/job_body.hpp"
#include "service/endpoints/json_text.hpp"
#include "service/faults/draw.hpp"
#include "service/faults/proof_faults.hpp"
#include "service/jobs/models.hpp"
#include "service/jobs/receipts.hpp"
#include "service/jobs/spec_yaml.hpp"
#include "service/state.hpp"

namespace vembed::testing {

using vembed::service::chunk_stage;
using vembed::service::error_response;
using vembed::service::execution_spec;
using vembed::service::invalid_request;
using vembed::service::job_fate;
using vembed::service::job_state;
using vembed::service::json_response;
using vembed::service::json_writer;
using vembed::service::refusal;

namespace {

// Assumed, because the status and code of output before SETTLED are not documented.
refusal not_settled(job_state state) {
    return refusal(409, "not_settled", "the job is " + std::string(to_string(state)) + ": there is no output");
}

// False if the Content-Type names something other than JSON, which is the caller's error.
bool is_json_type(std::string_view content_type) {
    static constexpr std::string_view expected = "application/json";
    const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
    return content_type.empty() ||
           std::equal(type.begin(), type.end(), expected.begin(), expected.end(),
                      [](char c, char wanted) { return (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == wanted; });
}

// The chunks with a text that holds `poison`; empty if there are none.
std::vector<bool> poisoned_chunks(const vembed::service::job_record& job, std::string_view poison) {
    std::vector<bool> chunks;
    for (std::size_t i = 0; !poison.empty() && i < job.texts.size(); ++i) {
        if (job.texts[i].find(poison) != std::string_view::npos) {
            chunks.resize(job.chunks());
            chunks[i / job.chunk_size] = true;
        }
    }
    return chunks;
}

// Assumed, because the words for chunks that are not verified are not documented.
std::string_view chunk_status(job_state state, chunk_stage stage, bool failed) {
    if (state == job_state::refunded) {
        return "REFUNDED";
    }
    switch (stage) {
        case chunk_stage::executing: return "EXECUTING";
        case chunk_stage::proving: return "PROVING";
        case chunk_stage::verified: return failed ? "FAILED" : "VERIFIED";
    }
    return "FAILED";
}

}  // namespace

// Checks, charges and stores a job. Nothing is charged unless all checks pass.
service::impl::answer<service::impl::job_record*> service::impl::submit(const asked& call, bool to_verify) {
    if (!is_json_type(call.request->content_type)) {
        return invalid_request("the Content-Type must be application/json");
    }
    answer<job_body> body = vembed::service::read_job_body(call.request->body, to_verify);
    if (!body) {
        return std::move(body).error();
    }
    execution_spec spec;
    spec.model = body->model;
    spec.chunk_size = options_.chunk_size;
    const bool older_form = !body->spec_yaml.empty();
    if (older_form) {
        answer<execution_spec> read = vembed::service::read_execution_spec(body->spec_yaml);
        if (!read) {
            return std::move(read).error();
        }
        spec = *std::move(read);
    }
    const std::optional<std::size_t> model = vembed::service::find_model(spec.model);
    if (!model) {
        return refusal(400, "unknown_model", "there is no such model; GET /models lists them");
    }
    auto job = std::make_unique<job_record>();
    job->model = *model;
    job->chunk_size = spec.chunk_size;
    job->older_form = older_form;
    job->rows = body->inputs.size();
    job->texts = std::move(body->inputs);
    job->claimed_commitment = std::move(body->claimed_output_commitment);
    if (to_verify && older_form && job->chunks() > 1) {
        return invalid_request("a verification in the older form takes one chunk only");
    }
    job->poisoned = poisoned_chunks(*job, options_.poison);
    if (!job->poisoned.empty() && options_.poison_is_refused) {
        return invalid_request("an input cannot be embedded");
    }
    if (std::optional<refusal> why = call.who->admit(job->chunks(), job->rows, call.now)) {
        return *std::move(why);
    }
    if (!jobs_.make_room(job->memory(), call.now)) {
        refusal why(503, "service_busy", "too many jobs whose output nobody fetched");
        why.retry_after = "5";
        return why;
    }
    job->number = next_job_++;
    job->id = vembed::service::job_id_of(options_.seed, job->number);
    job->receipt_id = vembed::service::receipt_id_of(options_.seed, job->number);
    job->account = call.who->number();
    job->submitted_at = call.now;
    const std::chrono::milliseconds delay(options_.settle_delay_ms);
    job->settles_at = deadline_after(call.now, delay);
    job->settles_wall = call.wall + delay;
    job->created_at = vembed::service::timestamp(call.wall);
    job->fate = to_verify ? job_fate::settled : faults_.fate_of(job->number);
    job->fate = job->poisoned.empty() ? job->fate : job_fate::failed;
    job->revised = options_.model_changes_after_jobs && counters_.jobs_created >= *options_.model_changes_after_jobs;
    job->spoiled = faults_.proof_fault_of(job->number);
    ++counters_.jobs_created;
    call.who->charge(job->chunks(), call.now, job->settles_at, job->fate == job_fate::refunded);
    return &jobs_.add(std::move(job));
}

service::impl::answer<service::impl::job_record*> service::impl::find_job(const asked& call) {
    job_record* const job = jobs_.find(call.where->id);
    if (job == nullptr || job->account != call.who->number()) {
        return refusal(404, "not_found", "this account has no such job");
    }
    return job;
}

service_response service::impl::job_response(job_record& job, int status, monotonic_time now) {
    // The response to a submission says EXECUTING even if the job settles at once.
    const job_state state = status == 201 ? job_state::executing : job.state_at(now);
    if (state == job_state::failed || state == job_state::refunded) {
        jobs_.delivered(job);
    }
    std::string text;
    text.reserve(192);
    json_writer json(text);
    json.begin_object().field("id", job.id).field("status", to_string(state)).field("chunk_count", job.chunks());
    if (state == job_state::settled) {
        json.field("receipt_id", job.receipt_id);
    } else {
        json.null("receipt_id");
    }
    json.field("created_at", job.created_at).end_object();
    return json_response(status, std::move(text));
}

service_response service::impl::submit_job(const asked& call) {
    const answer<job_record*> job = submit(call, false);
    return job ? job_response(**job, 201, call.now) : error_response(job.error());
}

service_response service::impl::show_job(const asked& call) {
    const answer<job_record*> job = find_job(call);
    return job ? job_response(**job, 200, call.now) : error_response(job.error());
}

service_response service::impl::wait_job(const asked& call) {
    const answer<job_record*> found = find_job(call);
    if (!found) {
        return error_response(found.error());
    }
    const answer<std::uint32_t> seconds = vembed::service::parse_max_wait(call.where->query);
    if (!seconds) {
        return error_response(seconds.error());
    }
    job_record& job = **found;
    if (call.now >= job.settles_at || *seconds == 0 || held(call.ordinal) != nullptr) {
        return job_response(job, 200, call.now);
    }
    service_response later;
    later.hold_until = std::min(job.settles_at, deadline_after(call.now, std::chrono::seconds(*seconds)));
    hold(call.ordinal, *later.hold_until);
    return later;
}

service_response service::impl::show_results(const asked& call) {
    const answer<job_record*> found = find_job(call);
    if (!found) {
        return error_response(found.error());
    }
    job_record& job = **found;
    const job_state state = job.state_at(call.now);
    if (state == job_state::settled && job.spoiled == proof_fault::results_of_another) {
        const auto other = vembed::service::another_job(options_.seed, job);
        return json_response(200, results_text(*other, call.now));
    }
    return json_response(200, results_text(job, call.now));
}

std::vector<vembed::service::listed_chunk> service::impl::chunks_of(job_record& job, monotonic_time now) {
    const job_state state = job.state_at(now);
    const bool refunded = job.fate == job_fate::refunded;  // No chunk of a refunded job is ever verified.
    const std::vector<bool> sample = vembed::service::sample_of(options_.seed, job);
    std::vector<vembed::service::listed_chunk> chunks(job.chunks());
    for (std::uint64_t i = 0; i < chunks.size(); ++i) {
        const bool failed =
            job.fate == job_fate::failed &&
            (job.poisoned.empty() ? faults_.chunk_failed(job.number, i, job.chunks()) : job.poisoned[i]);
        const chunk_stage stage = refunded ? chunk_stage::executing : job.stage_of(i, now);
        const bool verified = stage == chunk_stage::verified && !failed;
        vembed::service::listed_chunk& chunk = chunks[i];
        chunk.index = i;
        chunk.row_start = i * job.chunk_size;
        chunk.row_end = std::min<std::uint64_t>(chunk.row_start + job.chunk_size, job.rows);
        chunk.status = chunk_status(state, stage, failed);
        if (verified) {
            chunk.commitment = outputs_.commitments_of(job)[i];
        }
        chunk.sampled = stage == chunk_stage::verified && sample[i];
    }
    if (job.spoiled) {
        vembed::service::spoil_chunks(*job.spoiled, options_.seed, job, chunks);
    }
    return chunks;
}

std::string service::impl::results_text(job_record& job, monotonic_time now) {
    const job_state state = job.state_at(now);
    std::string text;
    json_writer json(text);
    json.begin_object().field("job_id", job.id).field("status", to_string(state));
    if (state == job_state::settled) {
        json.field("receipt_id", job.receipt_id);
    } else {
        json.null("receipt_id");
    }
    json.begin_array("chunks");
    for (const vembed::service::listed_chunk& chunk : chunks_of(job, now)) {
        json.begin_object().field("chunk_index", chunk.index).field("row_start", chunk.row_start);
        json.field("row_end", chunk.row_end).field("status", chunk.status);
        if (chunk.commitment) {
            json.field("output_commitment", to_hex(*chunk.commitment));
        } else {
            json.null("output_commitment");
        }
        json.field("selected_for_verification", chunk.sampled).end_object();
    }
    json.end_array().end_object();
    return text;
}

service_response service::impl::show_output(const asked& call) {
    const answer<job_record*> found = find_job(call);
    if (!found) {
        return error_response(found.error());
    }
    job_record& job = **found;
    if (const job_state state = job.state_at(call.now); state != job_state::settled) {
        return error_response(not_settled(state));
    }
    const vembed::service::shared_rows& rows = outputs_.rows_of(job);
    const std::uint32_t dimensions = vembed::service::catalog()[job.model].dimensions;
    service_response response;
    response.headers.reserve(3);
    std::uint64_t shown_rows = job.rows;
    response.output_owner = rows.owner;
    response.output = rows.bytes;
    if (job.spoiled) {
        if (auto spoiled = vembed::service::spoil_output(*job.spoiled, options_.seed, job, rows.bytes)) {
            const auto kept = std::make_shared<vembed::service::spoiled_output>(*std::move(spoiled));
            shown_rows = kept->rows;
            response.output = kept->bytes;
            response.output_owner = kept;
        }
    }
    response.headers.emplace_back("Content-Type", "application/octet-stream");
    response.headers.emplace_back("X-Cyberian-Shape", std::to_string(shown_rows) + "," + std::to_string(dimensions));
    response.headers.emplace_back("X-Cyberian-Dtype", "float32");
    if (any_faults_) {
        faults_.spoil_output(call.ordinal, response, job.rows, dimensions);
    }
    jobs_.delivered(job);
    return response;
}

}  // namespace vembed::testing
