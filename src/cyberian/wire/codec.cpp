#include "cyberian/wire/codec.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include <boost/json/parse.hpp>

#include "text/readable_json.hpp"

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

namespace json = boost::json;

failure broken(std::string what) {
    return {errc::protocol, "the service's reply breaks its contract: " + std::move(what)};
}

result<json::value> parse_object(std::string_view body) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = text::json_depth_max;
    json::value parsed = json::parse(text::readable_json(body), error, {}, options);
    if (error) {
        return broken("not JSON (" + error.message() + ")");
    }
    if (!parsed.is_object()) {
        return broken("not a JSON object");
    }
    return parsed;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [lower](char x, char y) { return lower(x) == lower(y); });
}

// 20, 20.0 and "20" are one count; nothing for anything else.
std::optional<std::uint64_t> count_of(const json::value& value) {
    constexpr double exact_max = 9007199254740992;  // 2^53: up to here a double is the number that was written.
    if (const json::string* text = value.if_string()) {
        std::uint64_t number = 0;
        const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
        const bool whole = read.ec == std::errc() && read.ptr == text->data() + text->size();
        return whole ? std::optional(number) : std::nullopt;
    }
    if (const double* number = value.if_double()) {
        const bool whole = *number >= 0 && *number <= exact_max && std::floor(*number) == *number;
        return whole ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    }
    if (value.is_int64() && value.get_int64() >= 0) {
        return static_cast<std::uint64_t>(value.get_int64());
    }
    return value.is_uint64() ? std::optional(value.get_uint64()) : std::nullopt;
}

// Reads members of one object and remembers the first that is wrong, so that a codec reads like the contract's table.
// What is required stands in the way of the result and is read strictly; what is optional is empty if it is absent,
// null or of a type that it should not have.
class reader {
public:
    explicit reader(const json::object& from) : from_(&from) {}

    void required(std::string& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && found->is_string()) {
            into = std::string(found->get_string());
        } else {
            wrong(name, "a string");
        }
    }

    void required(std::uint64_t& into, std::string_view name) {
        const std::optional<std::uint64_t> number = count(name);
        if (number) {
            into = *number;
        } else {
            wrong(name, "a number that is not negative");
        }
    }

    void required(bool& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && found->is_bool()) {
            into = found->get_bool();
        } else {
            wrong(name, "true or false");
        }
    }

    // An id is a text; a number is one as well.
    void required_id(std::string& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && (found->is_int64() || found->is_uint64())) {
            into = found->is_int64() ? std::to_string(found->get_int64()) : std::to_string(found->get_uint64());
        } else {
            required(into, name);
        }
    }

    // Empty if it is absent or cannot be an id.
    void optional_id(std::string& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && (found->is_string() || found->is_int64() || found->is_uint64())) {
            required_id(into, name);
        }
    }

    // Text, empty or not there if it is absent.
    template <class Text>
    requires std::is_assignable_v<Text&, std::string>
    void optional(Text& into, std::string_view name) {
        const json::value* found = present(name);
        if (found != nullptr && found->is_string()) {
            into = std::string(found->get_string());
        }
    }

    void optional(std::optional<std::uint64_t>& into, std::string_view name) {
        const std::optional<std::uint64_t> number = count(name);
        if (number) {
            into = number;
        }
    }

    void optional(std::uint64_t& into, std::string_view name) { into = count(name).value_or(into); }

    void optional(bool& into, std::string_view name) {
        const json::value* found = present(name);
        into = found != nullptr && found->is_bool() ? found->get_bool() : into;
    }

    const json::array* array(std::string_view name, bool needed) {
        const json::value* found = present(name);
        if (found != nullptr && found->is_array()) {
            return &found->get_array();
        }
        if (needed) {
            wrong(name, "an array");
        }
        return nullptr;
    }

    const json::object* object(std::string_view name) {
        const json::value* found = present(name);
        return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
    }

    void strings(std::vector<std::string>& into, std::string_view name) {
        const json::array* found = array(name, false);
        if (found == nullptr) {
            return;
        }
        for (const json::value& item : *found) {
            if (item.is_string()) {
                into.emplace_back(item.get_string());
            }
        }
    }

    [[nodiscard]] bool has_any(std::initializer_list<std::string_view> names) const {
        return std::any_of(names.begin(), names.end(), [this](std::string_view name) { return present(name); });
    }

    void wrong(std::string_view name, std::string_view wanted) {
        if (!error_) {
            error_ = broken("\"" + std::string(name) + "\" is not " + std::string(wanted));
        }
    }

    void absorb(const reader& inner) {
        if (!error_) {
            error_ = inner.error_;
        }
    }

    [[nodiscard]] const std::optional<failure>& error() const noexcept { return error_; }

private:
    // Absent and null are the same.
    [[nodiscard]] const json::value* present(std::string_view name) const {
        const json::value* found = from_->if_contains(name);
        return found == nullptr || found->is_null() ? nullptr : found;
    }

    [[nodiscard]] std::optional<std::uint64_t> count(std::string_view name) const {
        const json::value* found = present(name);
        return found == nullptr ? std::nullopt : count_of(*found);
    }

    const json::object* from_;
    std::optional<failure> error_;
};

job_status status_of(std::string_view word) {
    for (const job_status status :
         {job_status::executing, job_status::proving, job_status::settled, job_status::failed, job_status::refunded}) {
        if (same_word(to_string(status), word)) {
            return status;
        }
    }
    return job_status::unknown;
}

// Parses, hands the object to `fill`, keeps the JSON in `raw`.
template <class T, class Fill>
result<T> read_as(std::string_view body, Fill fill) {
    result<json::value> parsed = parse_object(body);
    if (!parsed) {
        failure f = parsed.error();
        f.raw_body = std::string(body.substr(0, failure::max_raw_body));
        return f;
    }
    T made;
    reader from(parsed->get_object());
    fill(from, made);
    if (from.error()) {
        failure f = *from.error();
        f.raw_body = std::string(body.substr(0, failure::max_raw_body));
        return f;
    }
    made.raw = std::move(*parsed);
    return made;
}

// The one documented word for a chunk's state.
constexpr std::string_view verified = "VERIFIED";

void fill_job(reader& from, job& made) {
    from.optional_id(made.id, "id");
    from.optional(made.status_text, "status");
    made.status = status_of(made.status_text);
    from.optional(made.chunk_count, "chunk_count");
    from.optional(made.receipt_id, "receipt_id");
    from.optional(made.created_at, "created_at");
}

// A chunk's index, until its place among the others gives it.
constexpr std::uint64_t not_told = std::numeric_limits<std::uint64_t>::max();

void fill_chunk(reader& outer, const json::value& item, chunk_result& chunk) {
    if (!item.is_object()) {
        outer.wrong("chunks", "an array of objects");
        return;
    }
    reader from(item.get_object());
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
    outer.absorb(from);
}

void fill_limits(reader& outer, account_limits& limits) {
    const json::object* object = outer.object("limits");
    if (object == nullptr) {
        return;
    }
    reader from(*object);
    from.optional(limits.chunks_per_period, "chunks_per_period");
    from.optional(limits.period_length_days, "period_length_days");
    from.optional(limits.chunks_per_day, "chunks_per_day");
    from.optional(limits.chunks_per_minute, "chunks_per_minute");
    from.optional(limits.max_chunks_per_request, "max_chunks_per_request");
    std::optional<std::uint64_t> texts;
    from.optional(texts, "max_input_texts");
    from.optional(limits.max_inputs, "max_inputs");
    if (texts && (!limits.max_inputs || *texts < *limits.max_inputs)) {
        limits.max_inputs = texts;  // Where they differ, a job of the larger number may be refused.
    }
}

void fill_keys(reader& outer, std::vector<api_key_info>& keys) {
    const json::array* array = outer.array("keys", false);
    if (array == nullptr) {
        return;
    }
    for (const json::value& item : *array) {
        if (!item.is_object()) {
            continue;
        }
        reader from(item.get_object());
        api_key_info key;
        from.optional(key.key_id, "key_id");
        from.optional(key.label, "label");
        from.optional(key.created_at, "created_at");
        from.optional(key.last_used_at, "last_used_at");
        from.optional(key.revoked_at, "revoked_at");
        keys.push_back(std::move(key));
    }
}

void fill_model(reader& outer, const json::value& item, model_info& model) {
    if (!item.is_object()) {
        outer.wrong("models", "an array of objects");
        return;
    }
    reader from(item.get_object());
    from.required(model.id, "id");
    from.optional(model.name, "name");
    from.optional(model.description, "description");
    from.required(model.output_dimensions, "output_dimensions");
    from.optional(model.max_input_length_tokens, "max_input_length_tokens");
    model.raw = item;
    outer.absorb(from);
}

// A number of rows or columns, white space around it allowed.
std::optional<std::uint64_t> extent_of(std::string_view text) {
    constexpr std::string_view space = " \t";
    const std::size_t begin = std::min(text.find_first_not_of(space), text.size());
    text = text.substr(begin, text.find_last_not_of(space) + 1 - begin);
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

template <class T>
class whole_reply {
public:
    T told;
    json::value raw;

    whole_reply() = default;
};
using models_reply = whole_reply<std::vector<model_info>>;
using key_reply = whole_reply<rotated_key>;

}  // namespace

result<health_info> read_health(std::string_view body) {
    return read_as<health_info>(body, [](reader& from, health_info& health) {
        from.required(health.ok, "ok");
        from.optional(health.service, "service");
    });
}

result<std::vector<model_info>> read_models(std::string_view body) {
    result<models_reply> read = read_as<models_reply>(body, [](reader& from, models_reply& reply) {
        const json::array* array = from.array("models", true);
        if (array != nullptr) {
            for (const json::value& item : *array) {
                fill_model(from, item, reply.told.emplace_back());
            }
        }
    });
    if (!read) {
        return read.error();
    }
    return std::move(read->told);
}

result<job> read_job(std::string_view body) {
    return read_as<job>(body, [](reader& from, job& made) {
        from.required_id(made.id, "id");
        fill_job(from, made);
    });
}

result<job> read_job_state(std::string_view body) {
    return read_as<job>(body, fill_job);
}

result<job_results> read_results(std::string_view body) {
    return read_as<job_results>(body, [](reader& from, job_results& results) {
        from.optional_id(results.job_id, "job_id");
        std::string word;
        from.optional(word, "status");
        results.status = status_of(word);
        from.optional(results.receipt_id, "receipt_id");
        const json::array* array = from.array("chunks", true);
        if (array != nullptr) {
            for (const json::value& item : *array) {
                fill_chunk(from, item, results.chunks.emplace_back());
            }
        }
        // They may come in any order; nothing is said by it.
        std::stable_sort(results.chunks.begin(), results.chunks.end(),
                         [](const chunk_result& a, const chunk_result& b) { return a.row_start < b.row_start; });
        std::uint64_t place = 0;
        for (chunk_result& chunk : results.chunks) {
            chunk.chunk_index = chunk.chunk_index == not_told ? place : chunk.chunk_index;
            ++place;
        }
    });
}

result<receipt> read_receipt(std::string_view body) {
    result<receipt> read = read_as<receipt>(body, [](reader& from, receipt& made) {
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

result<receipt_verification> read_receipt_verification(std::string_view body) {
    return read_as<receipt_verification>(body, [](reader& from, receipt_verification& made) {
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

result<account_info> read_account(std::string_view body) {
    return read_as<account_info>(body, [](reader& from, account_info& account) {
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
        // Each may be absent, but some other JSON has none of them.
        if (!from.has_any({"account_id", "tier", "effective_tier", "limits", "chunks_consumed_period", "keys"})) {
            from.wrong("account_id", "there, nor is any other field of an account");
        }
    });
}

result<rotated_key> read_rotated_key(std::string_view body) {
    result<key_reply> read = read_as<key_reply>(body, [](reader& from, key_reply& reply) {
        from.required(reply.told.api_key, "api_key");
        from.required(reply.told.key_id, "key_id");
    });
    if (!read) {
        failure f = read.error();
        // What was read may hold the new key.
        f.raw_body.clear();
        return f;
    }
    return std::move(read->told);
}

result<std::pair<std::uint64_t, std::uint64_t>> read_shape(std::string_view header) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const auto rows = extent_of(header.substr(0, comma));
    const auto columns = extent_of(header.substr(std::min(comma + 1, header.size())));
    if (!rows || !columns) {
        return broken("X-Cyberian-Shape is \"" + std::string(header.substr(0, 64)) + "\", not \"rows,cols\"");
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
