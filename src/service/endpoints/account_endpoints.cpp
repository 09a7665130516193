#include "service/endpoints/job_body.hpp"
#include "service/endpoints/json_text.hpp"
#include "service/jobs/models.hpp"
#include "service/state.hpp"

namespace vembed::testing {

using vembed::service::error_response;
using vembed::service::invalid_request;
using vembed::service::json_response;
using vembed::service::json_writer;
using vembed::service::refusal;

service_response service::impl::show_health() const {
    return json_response(200, R"({"ok":true,"service":"vembed local service"})");
}

service_response service::impl::show_models() const {
    std::string text;
    json_writer json(text);
    json.begin_object().begin_array("models");
    for (const vembed::service::model& entry : vembed::service::catalog()) {
        json.begin_object();
        json.field("id", entry.id).field("name", entry.name).field("description", entry.description);
        json.field("output_dimensions", std::uint64_t{entry.dimensions});
        json.field("max_input_length_tokens", std::uint64_t{entry.tokens_max});
        json.end_object();
    }
    json.end_array().end_object();
    return json_response(200, std::move(text));
}

service_response service::impl::show_account(const asked& call) {
    return json_response(200, call.who->to_json());
}

service_response service::impl::rotate_key(const asked& call) {
    if (!call.request->body.empty()) {
        return error_response(invalid_request("this call takes no body"));
    }
    if (call.who->keys.size() >= vembed::service::account_keys_max) {
        return error_response(invalid_request("this account has had its 100 keys"));
    }
    const std::string key = add_key(*call.who, "new", call.wall, std::nullopt);
    std::string text;
    json_writer json(text);
    json.begin_object().field("api_key", key).field("key_id", call.who->keys.back().key_id).end_object();
    return json_response(201, std::move(text));
}

service_response service::impl::revoke_key(const asked& call) {
    const answer<std::string> key_id = vembed::service::read_revoke_body(call.request->body);
    if (!key_id) {
        return error_response(key_id.error());
    }
    for (vembed::service::account_key& key : call.who->keys) {
        if (key.key_id != *key_id) {
            continue;
        }
        key.revoked_at = key.revoked_at.value_or(call.wall);
        std::string text;
        json_writer json(text);
        json.begin_object().field("key_id", key.key_id).field("revoked_at", key.revoked_at).end_object();
        return json_response(200, std::move(text));
    }
    return error_response(refusal(404, "not_found", "this account has no such key"));
}

}  // namespace vembed::testing
