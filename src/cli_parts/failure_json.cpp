#include "cli_parts/failure_json.hpp"

#include <string>
#include <string_view>

#include "core/redaction.hpp"
#include "text/json/described_json.hpp"
#include "text/json/json_value.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

// The body of a response; it may be JSON with a key in it that is written with escapes.
json::string body_string(std::string_view body) {
    return text::json_string(masked_json(body));
}

}  // namespace

json::object failure_object(const error& f) {
    json::object out;
    out["kind"] = to_string(f.kind);
    out["message"] = text::json_string(f.message);
    if (f.http_status != 0) {
        out["http_status"] = f.http_status;
    }
    const auto set_text = [&out](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            out[key] = text::json_string(value);
        }
    };
    set_text("code", f.code);
    set_text("job_id", f.job_id);
    set_text("receipt_id", f.receipt_id);
    if (f.retry_after) {
        out["retry_after_s"] = f.retry_after->count();
    }
    if (!f.failed_chunks.empty()) {
        out["failed_chunks"] = text::described_value(f.failed_chunks);
    }
    if (!f.checks.empty()) {
        out["checks"] = text::described_value(f.checks);
    }
    if (!f.errors.empty()) {
        out["errors"] = text::described_value(f.errors);
    }
    if (!f.raw_body.empty()) {
        out["body"] = body_string(std::string_view(f.raw_body).substr(0, error::max_raw_body));
    }
    return out;
}

json::array failed_chunks_array(const std::vector<failed_chunk>& chunks) {
    return text::described_value(chunks).as_array();
}

}  // namespace vembed::cli
