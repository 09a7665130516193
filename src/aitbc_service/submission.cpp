#include "aitbc_service/submission.hpp"

#include <optional>
#include <string>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "aitbc_service/refusals.hpp"
#include "local_service/json_reply.hpp"

namespace vembed::aitbc_service {
namespace {

namespace json = boost::json;
using answer = std::variant<submission, testing::service_response>;

const json::string* text_in(const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found == nullptr ? nullptr : found->if_string();
}

// Whether the member is absent, or a whole number from 1 to a year of seconds that `into` then has.
bool read_seconds(const json::object& object, std::string_view name, std::optional<std::uint64_t>& into) {
    const json::value* found = object.if_contains(name);
    if (found == nullptr || found->is_null()) {
        return true;
    }
    const std::int64_t* number = found->if_int64();
    if (number == nullptr || *number < 1 || *number > 31'536'000) {
        return false;
    }
    into = static_cast<std::uint64_t>(*number);
    return true;
}

answer read_docs(const json::object& body, wall_time wall) {
    submission asked;
    const json::string* const model = text_in(body, "model");
    const json::string* const input = text_in(body, "input");
    if (model == nullptr || model->empty() || model->size() > 256) {
        return validation_envelope("model", "Field required: a text of 1 to 256 bytes", wall);
    }
    if (input == nullptr) {
        return validation_envelope("input", "Field required: a text", wall);
    }
    if (!read_seconds(body, "timeout_seconds", asked.ttl_s)) {
        return validation_envelope("timeout_seconds", "Input should be a whole number of seconds", wall);
    }
    if (const json::value* output = body.if_contains("output_config"); output != nullptr && output->is_object()) {
        if (const json::string* format = text_in(output->get_object(), "format")) {
            asked.output_format = std::string(*format);
        }
    }
    asked.model = std::string(*model);
    asked.input = std::string(*input);
    asked.payload = body;
    return asked;
}

answer read_coordinator(const json::object& body) {
    submission asked;
    const json::value* const payload = body.if_contains("payload");
    if (payload == nullptr || !payload->is_object()) {
        return validation_list("payload", "Field required");
    }
    if (!read_seconds(body, "ttl_seconds", asked.ttl_s)) {
        return validation_list("ttl_seconds", "Input should be a valid integer");
    }
    if (const json::string* model = text_in(payload->get_object(), "model")) {
        asked.model = std::string(*model);
    }
    const json::string* const prompt = text_in(payload->get_object(), "prompt");
    asked.input = prompt != nullptr ? std::string(*prompt) : json::serialize(*payload);
    asked.payload = *payload;
    if (const json::value* constraints = body.if_contains("constraints")) {
        asked.constraints = *constraints;
    }
    return asked;
}

}  // namespace

answer read_submission(testing::aitbc_dialect which, std::string_view body, wall_time wall) {
    const std::optional<json::object> object = local_service::object_of_body(body);
    if (which == testing::aitbc_dialect::docs) {
        return object ? read_docs(*object, wall) : validation_envelope("body", "the body is no JSON object", wall);
    }
    return object ? read_coordinator(*object) : validation_list("body", "the body is no JSON object");
}

}  // namespace vembed::aitbc_service
