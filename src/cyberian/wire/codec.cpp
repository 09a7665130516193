#include "cyberian/wire/codec.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>

#include "text/json/object_reader.hpp"
#include "text/words.hpp"

namespace vembed {

std::string_view to_string(job_status status) noexcept {
    switch (status) {
        case job_status::executing: return "EXECUTING";
        case job_status::proving: return "PROVING";
        case job_status::settled: return "SETTLED";
        case job_status::failed: return "FAILED";
        case job_status::refunded: return "REFUNDED";
        case job_status::unknown: return "unknown";
    }
    return "invalid";
}

namespace cyberian {
namespace {

using text::object_reader;
using text::read_as;
using text::same_word;
namespace json = boost::json;

job_status status_of(std::string_view word) {
    for (const job_status status :
         {job_status::executing, job_status::proving, job_status::settled, job_status::failed, job_status::refunded}) {
        if (same_word(to_string(status), word)) {
            return status;
        }
    }
    return job_status::unknown;
}

// The only documented value of a chunk's status.
constexpr std::string_view verified = "VERIFIED";

void fill_job(object_reader& from, job& made) {
    from.optional_id(made.id, "id");
    from.optional(made.status_text, "status");
    made.status = status_of(made.status_text);
    from.optional(made.chunk_count, "chunk_count");
    from.optional(made.receipt_id, "receipt_id");
    from.optional(made.created_at, "created_at");
}

// Marks a chunk whose index the response does not say; its position among the others then gives the index.
constexpr std::uint64_t not_told = std::numeric_limits<std::uint64_t>::max();

void fill_chunk(object_reader& from, chunk_result& chunk) {
    chunk.chunk_index = not_told;
    from.optional(chunk.chunk_index, "chunk_index");
    from.required(chunk.row_start, "row_start");
    from.required(chunk.row_end, "row_end");
    from.optional(chunk.status, "status");
    if (same_word(chunk.status, verified)) {
        chunk.status = verified;
    }
    from.optional(chunk.output_commitment, "output_commitment");
    from.optional(chunk.selected_for_verification, "selected_for_verification");
}

// Reads a number of rows or columns; white space around it is allowed.
std::optional<std::uint64_t> extent_of(std::string_view text) {
    constexpr std::string_view space = " \t";
    const std::size_t begin = std::min(text.find_first_not_of(space), text.size());
    text = text.substr(begin, text.find_last_not_of(space) + 1 - begin);
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

void fill_limits(object_reader& outer, account_limits& limits) {
    const json::object* object = outer.object("limits");
    if (object == nullptr) {
        return;
    }
    object_reader from(*object);
    from.optional(limits.chunks_per_period, "chunks_per_period");
    from.optional(limits.period_length_days, "period_length_days");
    from.optional(limits.chunks_per_day, "chunks_per_day");
    from.optional(limits.chunks_per_minute, "chunks_per_minute");
    from.optional(limits.max_chunks_per_request, "max_chunks_per_request");
    std::optional<std::uint64_t> texts;
    from.optional(texts, "max_input_texts");
    from.optional(limits.max_inputs, "max_inputs");
    if (texts && (!limits.max_inputs || *texts < *limits.max_inputs)) {
        limits.max_inputs = texts;  // If they differ, a job of the larger number may be refused.
    }
}

void fill_keys(object_reader& outer, std::vector<api_key_info>& keys) {
    const json::array* array = outer.array("keys", false);
    if (array == nullptr) {
        return;
    }
    for (const json::value& item : *array) {
        if (!item.is_object()) {
            continue;
        }
        object_reader from(item.get_object());
        api_key_info key;
        from.optional(key.key_id, "key_id");
        from.optional(key.label, "label");
        from.optional(key.created_at, "created_at");
        from.optional(key.last_used_at, "last_used_at");
        from.optional(key.revoked_at, "revoked_at");
        keys.push_back(std::move(key));
    }
}

void fill_model(object_reader& from, model_info& model) {
    from.required(model.id, "id");
    from.optional(model.name, "name");
    from.optional(model.description, "description");
    from.required(model.output_dimensions, "output_dimensions");
    from.optional(model.max_input_length_tokens, "max_input_length_tokens");
}

template <class T>
class whole_response {
public:
    T told;
    json::value raw;

    whole_response() = default;
};
using models_response = whole_response<std::vector<model_info>>;
using key_response = whole_response<rotated_key>;

// One overload of read() for each type of a response.

result<health_info> read(std::string_view body, std::type_identity<health_info> /*type*/) {
    return read_as<health_info>(body, [](object_reader& from, health_info& health) {
        from.required(health.ok, "ok");
        from.optional(health.service, "service");
    });
}

result<job> read(std::string_view body, std::type_identity<job> /*type*/) {
    return read_as<job>(body, [](object_reader& from, job& made) {
        from.required_id(made.id, "id");
        fill_job(from, made);
    });
}

result<job_results> read(std::string_view body, std::type_identity<job_results> /*type*/) {
    return read_as<job_results>(body, [](object_reader& from, job_results& results) {
        from.optional_id(results.job_id, "job_id");
        std::string word;
        from.optional(word, "status");
        results.status = status_of(word);
        from.optional(results.receipt_id, "receipt_id");
        from.each_object("chunks", true, [&results](object_reader& chunk, const json::value& /*item*/) {
            fill_chunk(chunk, results.chunks.emplace_back());
        });
        // The service may list the chunks in any order, and the order has no meaning.
        std::stable_sort(results.chunks.begin(), results.chunks.end(),
                         [](const chunk_result& a, const chunk_result& b) { return a.row_start < b.row_start; });
        std::uint64_t place = 0;
        for (chunk_result& chunk : results.chunks) {
            chunk.chunk_index = chunk.chunk_index == not_told ? place : chunk.chunk_index;
            ++place;
        }
    });
}

result<receipt> read(std::string_view body, std::type_identity<receipt> /*type*/) {
    result<receipt> read = read_as<receipt>(body, [](object_reader& from, receipt& made) {
        from.required(made.receipt_id, "receipt_id");
        from.required(made.job_id, "job_id");
        from.required(made.spec_hash, "spec_hash");
        from.required(made.inputs_root, "inputs_root");
        from.required(made.outputs_root, "outputs_root");
        from.optional(made.verification_attestation, "verification_attestation");
        from.optional(made.verification_level, "verification_level");
        from.strings(made.executor_attestation_ids, "executor_attestation_ids");
        from.optional(made.issued_at, "issued_at");
        from.required(made.receipt_hash, "receipt_hash");
    });
    if (read) {
        read->raw_text = std::string(body);
    }
    return read;
}

result<receipt_verification> read(std::string_view body, std::type_identity<receipt_verification> /*type*/) {
    return read_as<receipt_verification>(body, [](object_reader& from, receipt_verification& made) {
        from.required(made.valid, "valid");
        const json::object* checks = from.object("checks");
        if (checks != nullptr) {
            for (const json::key_value_pair& check : *checks) {
                if (check.value().is_bool()) {
                    made.checks.emplace_back(std::string(check.key()), check.value().get_bool());
                }
            }
        }
        from.strings(made.errors, "errors");
    });
}

result<std::vector<model_info>> read(std::string_view body, std::type_identity<std::vector<model_info>> /*type*/) {
    result<models_response> read = read_as<models_response>(body, [](object_reader& from, models_response& response) {
        from.each_object("models", true, [&response](object_reader& model, const json::value& item) {
            fill_model(model, response.told.emplace_back());
            response.told.back().raw = item;
        });
    });
    if (!read) {
        return read.error();
    }
    return std::move(read->told);
}

result<account_info> read(std::string_view body, std::type_identity<account_info> /*type*/) {
    return read_as<account_info>(body, [](object_reader& from, account_info& account) {
        from.optional(account.account_id, "account_id");
        from.optional(account.name, "name");
        from.optional(account.email, "email");
        from.optional(account.username, "username");
        from.optional(account.email_verified_at, "email_verified_at");
        from.optional(account.tier, "tier");
        from.optional(account.effective_tier, "effective_tier");
        from.optional(account.subscription_status, "subscription_status");
        from.optional(account.trial_started_at, "trial_started_at");
        from.optional(account.trial_ends_at, "trial_ends_at");
        std::optional<std::uint64_t> consumed;
        from.optional(consumed, "chunks_consumed_period");
        account.chunks_consumed_period = consumed.value_or(0);
        from.optional(account.chunks_period_started_at, "chunks_period_started_at");
        fill_limits(from, account.limits);
        fill_keys(from, account.keys);
        // Each field may be absent, but if all are absent, the JSON is not an account.
        if (!from.has_any({"account_id", "tier", "effective_tier", "limits", "chunks_consumed_period", "keys"})) {
            from.wrong("account_id", "there, nor is any other field of an account");
        }
    });
}

result<rotated_key> read(std::string_view body, std::type_identity<rotated_key> /*type*/) {
    result<key_response> read = read_as<key_response>(body, [](object_reader& from, key_response& response) {
        from.required(response.told.api_key, "api_key");
        from.required(response.told.key_id, "key_id");
    });
    if (!read) {
        error f = read.error();
        // The raw body may hold the new key.
        f.raw_body.clear();
        return f;
    }
    return std::move(read->told);
}

}  // namespace

result<job> read_job_state(std::string_view body) {
    return read_as<job>(body, fill_job);
}

template <class T>
result<T> read_response(std::string_view body) {
    return read(body, std::type_identity<T>());
}

template result<health_info> read_response(std::string_view);
template result<job> read_response(std::string_view);
template result<job_results> read_response(std::string_view);
template result<receipt> read_response(std::string_view);
template result<receipt_verification> read_response(std::string_view);
template result<std::vector<model_info>> read_response(std::string_view);
template result<account_info> read_response(std::string_view);
template result<rotated_key> read_response(std::string_view);

result<std::pair<std::uint64_t, std::uint64_t>> read_shape(std::string_view header) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const auto rows = extent_of(header.substr(0, comma));
    const auto columns = extent_of(header.substr(std::min(comma + 1, header.size())));
    if (!rows || !columns) {
        return text::contract_error("X-Cyberian-Shape is \"" + std::string(header.substr(0, 64)) +
                                    "\", not \"rows,cols\"");
    }
    return std::pair(*rows, *columns);
}

bool names_float32(std::string_view dtype) noexcept {
    constexpr std::string_view names[] = {"float32", "<f4", "f4"};
    return std::any_of(std::begin(names), std::end(names),
                       [dtype](std::string_view name) { return same_word(name, dtype); });
}

}  // namespace cyberian
}  // namespace vembed
