#include "aitbc/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/redact_receipts.hpp"
#include "text/iso_time.hpp"
#include "text/json/object_reader.hpp"
#include "text/words.hpp"

namespace vembed::aitbc {
namespace {

namespace json = boost::json;
using text::object_reader;
using text::read_value;
using text::same_word;

constexpr std::size_t failure_bytes_max = 1000;

constexpr std::array<std::pair<std::string_view, job_state>, 11> state_words{{
    {"queued", job_state::waiting},
    {"pending", job_state::waiting},
    {"submitted", job_state::waiting},
    {"assigned", job_state::waiting},
    {"running", job_state::running},
    {"canceling", job_state::running},
    {"completed", job_state::completed},
    {"failed", job_state::failed},
    {"canceled", job_state::cancelled},
    {"cancelled", job_state::cancelled},
    {"expired", job_state::expired},
}};

// A number of seconds since 1970 counts as a time too (receipts).
std::optional<wall_time> time_of(object_reader& from, std::string_view name) {
    constexpr double latest = 253402300799;  // The end of the year 9999.
    const json::value* found = from.any(name);
    if (found == nullptr) {
        return std::nullopt;
    }
    if (const json::string* text = found->if_string()) {
        if (const auto at = text::parse_loose_iso_time(*text)) {
            return at;
        }
    }
    std::optional<double> seconds;
    from.optional(seconds, name);
    const bool is_time = seconds && *seconds >= 0 && *seconds <= latest;
    return is_time ? std::optional(wall_time(std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000))))
                   : std::nullopt;
}

std::optional<std::string> text_in(const json::value& value) {
    if (const json::string* text = value.if_string()) {
        return text::cut_text(*text, failure_bytes_max);
    }
    if (const json::object* object = value.if_object()) {
        const json::value* message = object->if_contains("message");
        return message != nullptr && message->is_string() ? text_in(*message) : std::nullopt;
    }
    return std::nullopt;
}

// The text of a failure that a result reports.
std::optional<std::string> failure_text(const json::value& result) {
    const json::object* object = result.if_object();
    const json::value* found = object != nullptr ? object->if_contains("error") : nullptr;
    return found != nullptr ? text_in(*found) : std::nullopt;
}

void fill_job(object_reader& from, job& made) {
    from.required_id(made.id, from.spelled({"job_id", "id", "jobId"}));
    if (made.id.empty()) {
        from.wrong("job_id", "an id");
    }
    from.optional(made.state_text, from.spelled({"status", "state"}));
    made.state = state_of(made.state_text);
    from.optional(made.progress, "progress");
    from.optional(made.model, "model");
    from.optional(made.miner_id, from.spelled({"miner_id", "assigned_miner_id"}));
    made.created_at = time_of(from, from.spelled({"created_at", "requested_at"}));
    made.started_at = time_of(from, "started_at");
    made.completed_at = time_of(from, "completed_at");
    made.expires_at = time_of(from, "expires_at");
    from.optional(made.payment_id, "payment_id");
    from.optional(made.payment_status, "payment_status");
    if (const json::value* found = from.any("error")) {
        made.error = text_in(*found);
    }
    if (const json::value* found = from.any("payload")) {
        made.payload = *found;
    }
    if (const json::value* found = from.any("result")) {
        made.result = *found;
        if (made.state == job_state::completed && says_failed(*found)) {
            made.state = job_state::failed;
            made.failed_by_result = true;
            made.error = made.error ? made.error : failure_text(*found);
        }
    }
    if (const json::object* payload = from.object("payload"); payload != nullptr && !made.model) {
        object_reader(*payload).optional(made.model, "model");
    }
}

error with_start(error f, std::string_view body) {
    f.raw_body = reportable_start(body);
    return f;
}

result<json::value> parsed(std::string_view body, redaction_scope scope) {
    result<json::value> read = text::parse_json(body);
    if (!read) {
        return with_start(read.error(), body);
    }
    redact_receipts(*read, scope);
    return read;
}

// The array that a list's body is or has under one of the names; null if there is none.
const json::array* list_in(const json::value& body, std::initializer_list<std::string_view> names) {
    if (const json::array* bare = body.if_array()) {
        return bare;
    }
    if (!body.is_object()) {
        return nullptr;
    }
    object_reader from(body.get_object());
    return from.array(from.spelled(names), false);
}

void fill_receipt(object_reader& from, receipt& made) {
    from.required_id(made.receipt_id, "receipt_id");
    from.optional_id(made.job_id, "job_id");
    from.optional(made.provider, "provider");
    from.optional(made.status, "status");
    from.optional(made.units, "units");
    from.optional(made.unit_type, "unit_type");
    from.optional(made.unit_price, "unit_price");
    from.optional(made.price, "price");
    made.started_at = time_of(from, "started_at");
    made.completed_at = time_of(from, "completed_at");
}

template <class T, class Fill>
result<T> read_body(std::string_view body, redaction_scope scope, Fill fill) {
    result<json::value> whole = parsed(body, scope);
    if (!whole) {
        return whole.error();
    }
    result<T> read = read_value<T>(std::move(*whole), fill);
    if (!read) {
        return with_start(read.error(), body);
    }
    return read;
}

}  // namespace

job_state state_of(std::string_view word) noexcept {
    const auto* const found =
        std::ranges::find_if(state_words, [word](const auto& known) { return same_word(known.first, word); });
    return found == state_words.end() ? job_state::unknown : found->second;
}

bool says_failed(const json::value& result) {
    const json::object* object = result.if_object();
    const json::value* status = object != nullptr ? object->if_contains("status") : nullptr;
    return status != nullptr && status->is_string() && state_of(status->get_string()) == job_state::failed;
}

result<job> read_job(std::string_view body) {
    return read_body<job>(body, redaction_scope::receipts_inside, fill_job);
}

result<submitted_job> read_submitted(std::string_view body) {
    result<job> read = read_job(body);
    if (!read) {
        return read.error();
    }
    submitted_job made;
    made.job = std::move(*read);
    object_reader from(made.job.raw.get_object());
    from.optional(made.estimated_cost, "estimated_cost");
    from.optional(made.estimated_time_seconds, "estimated_time_seconds");
    return made;
}

result<job_page> read_page(std::string_view body, std::uint64_t asked) {
    result<json::value> whole = parsed(body, redaction_scope::receipts_inside);
    if (!whole) {
        return whole.error();
    }
    const json::array* items = list_in(*whole, {"jobs", "items"});
    if (items == nullptr) {
        return with_start(text::contract_error("no list of jobs"), body);
    }
    job_page page;
    for (const json::value& item : *items) {
        result<job> one = read_value<job>(item, fill_job);
        if (one) {
            page.jobs.push_back(std::move(*one));
        } else {
            ++page.unreadable;
        }
    }
    // The coordinator does not say whether there are more: then a page that is full may have a next one.
    const json::object* object = whole->if_object();
    const json::value* has_more = object != nullptr ? object->if_contains("has_more") : nullptr;
    const bool is_told = has_more != nullptr && has_more->is_bool();
    page.more = is_told ? has_more->get_bool() : asked > 0 && items->size() >= asked;
    page.more = page.more && !items->empty();
    page.raw = std::move(*whole);
    return page;
}

result<job_output> read_output(std::string_view body) {
    return read_body<job_output>(body, redaction_scope::receipts_inside, [](object_reader& from, job_output& made) {
        if (const json::value* found = from.any("result")) {
            made.result = *found;
            made.says_failed = says_failed(*found);
            made.error = made.says_failed ? failure_text(*found) : std::nullopt;
        }
        if (const json::value* found = from.any("receipt")) {
            json::value masked = *found;
            redact_receipts(masked, redaction_scope::all);
            const result<receipt> one = read_value<receipt>(std::move(masked), fill_receipt);
            made.receipt = one ? std::optional(*one) : std::nullopt;
        }
        if (!from.has_any({"result", "receipt"})) {
            from.wrong("result", "there, nor is a receipt");
        }
    });
}

result<receipt> read_receipt(std::string_view body) {
    return read_body<receipt>(body, redaction_scope::all, fill_receipt);
}

result<receipt_page> read_receipts(std::string_view body) {
    result<json::value> whole = parsed(body, redaction_scope::all);
    if (!whole) {
        return whole.error();
    }
    const json::array* items = list_in(*whole, {"items", "receipts"});
    if (items == nullptr) {
        return with_start(text::contract_error("no list of receipts"), body);
    }
    receipt_page page;
    for (const json::value& item : *items) {
        result<receipt> one = read_value<receipt>(item, fill_receipt);
        if (!one) {
            return with_start(one.error(), body);
        }
        page.receipts.push_back(std::move(*one));
    }
    if (const json::object* object = whole->if_object()) {
        object_reader(*object).optional_id(page.next_cursor, "next_cursor");
    }
    return page;
}

error outcome_error(const job& of) {
    error f(errc::job_failed, "the job failed");
    if (of.state == job_state::cancelled) {
        f = error(errc::job_cancelled, "the job was cancelled at the service");
    } else if (of.state == job_state::expired) {
        f = error(errc::job_expired,
                  "the job expired before it ended: its requirements may be met by no miner, or its timeout is too "
                  "short; it may be charged, and a late result may still come");
    }
    f.message += of.error ? ": " + *of.error : "";
    f.job_id = of.id;
    return f;
}

}  // namespace vembed::aitbc
