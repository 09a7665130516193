#include "aitbc/wire/job_request.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/json/serialize.hpp>

#include "aitbc/wire/assumptions.hpp"
#include "text/utf8.hpp"

namespace vembed::aitbc {
namespace {

namespace json = boost::json;

error wrong(std::string_view field, std::string_view what) {
    return {errc::invalid_argument, std::string(field) + " " + std::string(what)};
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

result<void> check_name(std::string_view field, std::string_view text) {
    if (text.size() > assumed::name_bytes_max) {
        return wrong(field, "is longer than 256 bytes");
    }
    if (has_control(text) || text::first_invalid_utf8(text)) {
        return wrong(field, "holds a control character or is not UTF-8");
    }
    return {};
}

bool is_destination(std::string_view text) {
    constexpr std::string_view s3 = "s3://";
    if (text == "local") {
        return true;
    }
    if (!text.starts_with(s3)) {
        return false;
    }
    text.remove_prefix(s3.size());
    const std::size_t slash = text.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
}

bool is_amount(std::string_view text) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(number) && number >= 0;
}

// The rules of both dialects.
result<void> check_common(const job_request& request) {
    if (request.input.size() > assumed::body_bytes_max) {
        return wrong("input", "is larger than the 10 MiB that a request may have");
    }
    if (text::first_invalid_utf8(request.input)) {
        return wrong("input", "is not valid UTF-8");
    }
    for (const auto& [field, text] : {std::pair<std::string_view, std::string_view>("model", request.model),
                                      {"output destination", request.output_destination},
                                      {"output format", request.output_format},
                                      {"gpu_type", request.gpu_type},
                                      {"payment currency", request.payment_currency}}) {
        if (auto named = check_name(field, text); !named) {
            return named;
        }
    }
    for (const auto& [field, number] :
         {std::pair("gpu_count", request.gpu_count), std::pair("min_vram_gb", request.min_vram_gb)}) {
        if (number && (*number == 0 || *number > assumed::requirement_max)) {
            return wrong(field, "is not between 1 and 65536");
        }
    }
    if (request.timeout && (request.timeout->count() <= 0 || *request.timeout > assumed::timeout_max)) {
        return wrong("timeout", "is not between 1 second and 30 days");
    }
    return {};
}

result<void> check_docs(const job_request& request) {
    if (!request.payload.empty() || !request.constraints.empty() || request.payment_amount ||
        !request.payment_currency.empty()) {
        return wrong("payload, constraints and payment",
                     "belong to the coordinator dialect: set the option `dialect` to coordinator or leave them out");
    }
    if (request.model.empty()) {
        return wrong("model", "is missing: name the model to run");
    }
    if (request.input.empty()) {
        return wrong("input", "is missing: give a text or the id of a file");
    }
    if (!is_destination(request.output_destination)) {
        return wrong("output destination", "is neither \"local\" nor \"s3://bucket/path\"");
    }
    if (request.output_format.empty()) {
        return wrong("output format", "is empty: \"json\" is the documented one");
    }
    return {};
}

result<void> check_coordinator(const job_request& request) {
    if (request.output_destination != "local" || request.output_format != "json") {
        return wrong("the output's destination and format",
                     "cannot be chosen in the coordinator dialect: leave them as \"local\" and \"json\"");
    }
    if (request.priority != job_priority::normal) {
        return wrong("priority", "does not exist in the coordinator dialect: leave it normal");
    }
    if (request.gpu_count) {
        return wrong("gpu_count", "does not exist in the coordinator dialect: leave it out");
    }
    if (payload_of(request).empty()) {
        return wrong("payload", "is empty: give a model and an input, or the payload's members");
    }
    if (request.payment_amount && !is_amount(*request.payment_amount)) {
        return wrong("payment amount", "is not a decimal number of 0 or more");
    }
    if (!request.payment_amount && !request.payment_currency.empty()) {
        return wrong("payment currency", "is given without an amount");
    }
    return {};
}

json::object docs_body(const job_request& request) {
    json::object body;
    body["model"] = request.model;
    body["input"] = request.input;
    body["output_config"] = {{"destination", request.output_destination}, {"format", request.output_format}};
    json::object requirements;
    if (!request.gpu_type.empty()) {
        requirements["gpu_type"] = request.gpu_type;
    }
    if (request.gpu_count) {
        requirements["gpu_count"] = *request.gpu_count;
    }
    if (request.min_vram_gb) {
        requirements["min_vram_gb"] = *request.min_vram_gb;
    }
    if (!requirements.empty()) {
        body["requirements"] = std::move(requirements);
    }
    body["priority"] = to_string(request.priority);
    if (request.timeout) {
        body["timeout_seconds"] = request.timeout->count();
    }
    return body;
}

json::object coordinator_body(const job_request& request) {
    json::object body;
    body["payload"] = payload_of(request);
    json::object constraints = request.constraints;
    if (!request.gpu_type.empty() && !constraints.contains("gpu")) {
        constraints["gpu"] = request.gpu_type;
    }
    if (request.min_vram_gb && !constraints.contains("min_vram_gb")) {
        constraints["min_vram_gb"] = *request.min_vram_gb;
    }
    body["constraints"] = std::move(constraints);
    if (request.timeout) {
        body["ttl_seconds"] = request.timeout->count();
    }
    if (request.payment_amount) {
        // An amount keeps its digits only as a text, which the service reads as a decimal.
        body["payment_amount"] = *request.payment_amount;
    }
    if (!request.payment_currency.empty()) {
        body["payment_currency"] = request.payment_currency;
    }
    return body;
}

}  // namespace

json::object payload_of(const job_request& request) {
    json::object payload = request.payload;
    if (!request.model.empty() && !payload.contains("model")) {
        payload["model"] = request.model;
    }
    if (!request.input.empty() && !payload.contains("prompt")) {
        payload["prompt"] = request.input;
    }
    return payload;
}

result<void> check(const job_request& request, dialect which) {
    if (auto common = check_common(request); !common) {
        return common;
    }
    return which == dialect::docs ? check_docs(request) : check_coordinator(request);
}

result<std::string> write_job_body(const job_request& request, dialect which) {
    if (auto checked = check(request, which); !checked) {
        return checked.error();
    }
    std::string body = json::serialize(which == dialect::docs ? docs_body(request) : coordinator_body(request));
    if (body.size() > assumed::body_bytes_max) {
        return wrong("the request", "is larger than the 10 MiB that the service takes: make its input smaller");
    }
    return body;
}

}  // namespace vembed::aitbc
