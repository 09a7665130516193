#include <optional>
#include <utility>

#include "cyberian/wire/codec.hpp"
#include "cyberian/wire/object_reader.hpp"

namespace vembed::cyberian {
namespace {

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

void fill_model(object_reader& outer, const json::value& item, model_info& model) {
    if (!item.is_object()) {
        outer.wrong("models", "an array of objects");
        return;
    }
    object_reader from(item.get_object());
    from.required(model.id, "id");
    from.optional(model.name, "name");
    from.optional(model.description, "description");
    from.required(model.output_dimensions, "output_dimensions");
    from.optional(model.max_input_length_tokens, "max_input_length_tokens");
    model.raw = item;
    outer.absorb(from);
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

}  // namespace

result<std::vector<model_info>> read_models(std::string_view body) {
    result<models_response> read = read_as<models_response>(body, [](object_reader& from, models_response& response) {
        const json::array* array = from.array("models", true);
        if (array != nullptr) {
            for (const json::value& item : *array) {
                fill_model(from, item, response.told.emplace_back());
            }
        }
    });
    if (!read) {
        return read.error();
    }
    return std::move(read->told);
}

result<account_info> read_account(std::string_view body) {
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

result<rotated_key> read_rotated_key(std::string_view body) {
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

}  // namespace vembed::cyberian
