#include <vembed/cyberun/webhook.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <vembed/verify/sha256.hpp>

#include "cyberun/wire/assumptions.hpp"
#include "text/iso_time.hpp"
#include "text/json/object_reader.hpp"
#include "text/text_format.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

namespace json = boost::json;

constexpr std::size_t id_bytes_max = 256;
constexpr std::size_t secret_bytes_max = 4096;

error not_authentic(std::string what) {
    return {errc::unauthorized, "the webhook is not accepted: " + std::move(what)};
}

digest hmac_of(std::string_view secret, std::string_view body) {
    digest made;
    unsigned size = 0;
    const unsigned char* done = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                                     reinterpret_cast<const unsigned char*>(body.data()), body.size(),
                                     reinterpret_cast<unsigned char*>(made.data()), &size);
    if (done == nullptr || size != made.size()) {
        throw std::bad_alloc();
    }
    return made;
}

result<digest> signature_of(std::span<const std::string_view> values) {
    constexpr std::string_view scheme = "sha256=";
    if (values.size() != 1) {
        return not_authentic(values.empty() ? "it has no signature" : "it has more than one signature");
    }
    const std::string_view value = text::trimmed(values.front());
    const auto read = value.starts_with(scheme) ? digest_from_hex(value.substr(scheme.size())) : std::nullopt;
    if (!read) {
        return not_authentic("its signature is not sha256= and 64 hex digits");
    }
    return *read;
}

// Every secret is tried, so that the time does not tell which one fits.
bool fits_any(const digest& given, std::span<const std::string_view> secrets, std::string_view body) {
    bool fits = false;
    for (const std::string_view secret : secrets) {
        const digest made = hmac_of(secret, body);
        fits = (CRYPTO_memcmp(made.data(), given.data(), made.size()) == 0) || fits;
    }
    return fits;
}

// A text, or seconds or milliseconds since 1970.
std::optional<wall_time> time_in(text::object_reader& from) {
    constexpr double latest_ms = 253402300799000;  // The end of the year 9999.
    const json::value* found = from.any("timestamp");
    if (found != nullptr && found->is_string()) {
        return text::parse_loose_iso_time(found->get_string());
    }
    std::optional<double> number;
    from.optional(number, "timestamp");
    if (!number || *number < 0) {
        return std::nullopt;
    }
    const double ms = *number < assumed::timestamp_ms_least ? *number * 1000 : *number;
    return ms <= latest_ms ? std::optional(wall_time(std::chrono::milliseconds(static_cast<std::int64_t>(ms))))
                           : std::nullopt;
}

webhook_kind kind_of_webhook(std::string_view type) {
    return text::same_word(type, "task.completed") ? webhook_kind::completed
           : text::same_word(type, "task.failed")  ? webhook_kind::failed
                                                   : webhook_kind::other;
}

void fill_webhook(text::object_reader& from, webhook_event& made) {
    from.required(made.event_type, "event_type");
    from.required_id(made.task_id, "task_id");
    from.optional(made.state_text, "task_status");
    from.optional(made.error_text, "task_error");
    if (const json::value* found = from.any("task_output")) {
        made.output = *found;
    }
    if (made.event_type.empty() || made.event_type.size() > id_bytes_max) {
        from.wrong("event_type", "a name");
    }
    if (made.task_id.empty() || made.task_id.size() > id_bytes_max) {
        from.wrong("task_id", "an id");
    }
    if (const auto at = time_in(from)) {
        made.timestamp = *at;
    } else {
        from.wrong("timestamp", "a time");
    }
    made.kind = kind_of_webhook(made.event_type);
    made.state = task_state_of(made.state_text);
    made.error_text = text::cut_text(made.error_text, assumed::error_text_bytes_max);
    // No id holds this character, so that two pairs have two keys.
    made.dedup_key = made.task_id + '\n' + text::lowered(made.event_type);
}

}  // namespace

result<webhook_event> verify_webhook(std::string_view raw_body, std::span<const std::string_view> signatures,
                                     std::span<const std::string_view> secrets, wall_time now,
                                     const webhook_options& options) {
    const auto is_no_secret = [](std::string_view each) { return each.empty() || each.size() > secret_bytes_max; };
    if (secrets.empty() || std::ranges::any_of(secrets, is_no_secret)) {
        return error(errc::invalid_argument, "webhooks are verified with one or more secrets of 1 to 4,096 bytes");
    }
    if (raw_body.size() > options.body_bytes_max) {
        return error(errc::response_too_large, "the webhook's body is larger than the limit of " +
                                                   text::grouped(options.body_bytes_max) + " bytes");
    }
    const auto given = signature_of(signatures);
    if (!given) {
        return given.error();
    }
    if (!fits_any(*given, secrets, raw_body)) {
        return not_authentic("its signature does not fit the body under any of the secrets");
    }
    auto parsed = text::parse_json(raw_body);
    if (!parsed) {
        return parsed.error();
    }
    auto read = text::read_value<webhook_event>(std::move(*parsed), fill_webhook);
    // A longer window is none; clamping it keeps the difference within its type.
    const std::chrono::milliseconds window = std::min<std::chrono::seconds>(options.window, std::chrono::years(10));
    if (read && std::chrono::abs(read->timestamp - now) > window) {
        return not_authentic(
            "its timestamp is too far from the present time; it may be a replay, or one of the two "
            "clocks is wrong");
    }
    return read;
}

}  // namespace vembed::cyberun
