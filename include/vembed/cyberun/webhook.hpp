#pragma once
/// @file
/// Verifies Cyberun's webhooks (wire contract, section 2, "Webhooks"): pure, for any web server.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/cyberun/types.hpp>

namespace vembed::cyberun {

/// The header that the signature stands in.
inline constexpr std::string_view webhook_signature_header = "X-Webhook-Signature-256";

enum class webhook_kind : std::uint8_t { completed, failed, other };

/// A webhook that is authentic. GET the task before acting on it: no webhook tells of a cancellation.
class webhook_event {
public:
    webhook_kind kind = webhook_kind::other;
    std::string event_type;  ///< The service's own word, "task.completed" for instance.
    std::string task_id;
    task_state state = task_state::unknown;
    std::string state_text;
    std::string error_text;     ///< Empty if there is none.
    boost::json::value output;  ///< `task_output`, or null.
    wall_time timestamp{};
    /// The same for each try to deliver the same event: (task_id, event_type). The service has no id of a delivery.
    std::string dedup_key;
    boost::json::value raw;

    webhook_event() = default;
};

class webhook_options {
public:
    /// How far the body's timestamp may be from `now`, before or after it. The sender tries for about 3 minutes.
    std::chrono::seconds window{600};
    std::size_t body_bytes_max = std::size_t{1} << 20;

    webhook_options() = default;
};

/// Verifies and reads one webhook. `raw_body` is the request's body, byte for byte as it was received; `signatures` are
/// the values of every X-Webhook-Signature-256 header; `secrets` are the keys as shown, `whsec_` included, one or the
/// two of a rotation.
///
/// Errors, none of which quotes a secret or the body: invalid_argument (no secret, or an empty one), response_too_large
/// (the body), unauthorized (no signature or more than one, not `sha256=` and 64 hex digits, no secret fits, or the
/// timestamp is outside the window: a replay), protocol (authentic, but not a webhook of this form). Signatures are
/// compared in constant time, and with every secret. Nothing of the body is parsed before the signature fits.
///
/// Replays inside the window are for the caller: remember `dedup_key` for twice the window. Answer 2xx at once, and
/// work later.
///
/// @code
/// const std::string_view signature = request["X-Webhook-Signature-256"];
/// const std::string_view secret = whsec;
/// auto event = vembed::cyberun::verify_webhook(request.body(), {&signature, 1}, {&secret, 1}, now);
/// if (!event) { return event.error().kind == vembed::errc::unauthorized ? 401 : 400; }
/// if (seen.insert(event->dedup_key).second) { queue.push(event->task_id); }
/// return 204;
/// @endcode
result<webhook_event> verify_webhook(std::string_view raw_body, std::span<const std::string_view> signatures,
                                     std::span<const std::string_view> secrets, wall_time now,
                                     const webhook_options& options = {});

}  // namespace vembed::cyberun
