#include "cyberian/wire/account_answer.hpp"

#include <string>
#include <utility>

#include "policy/input/body_text.hpp"

namespace vembed::cyberian {
namespace {

std::string form_of(int status, std::string_view body) {
    if (status >= 300 && status < 400) {
        return "a redirect, which is not followed";
    }
    const std::string_view text = policy::body_text(body);
    if (text.empty()) {
        return "an empty body";
    }
    switch (text.front()) {
        case '<': return "a web page";
        case '{':
        case '[': return "JSON that is no account";
        default: return "a text that is no account";
    }
}

}  // namespace

error account_unread(error why, int status, std::string_view body) {
    // If there is no status, no response was read completely; if there is a code, the service itself answered.
    const bool is_known = status == 0 || !why.code.empty();
    if (is_known || why.kind == errc::cancelled || why.kind == errc::timeout || why.kind == errc::network) {
        return why;
    }
    // The body was refused if it was too long, or if it was compressed although nobody asked for that.
    const bool is_refused = why.http_status != 0 && why.kind != errc::api && body.empty();
    const std::string form = is_refused ? "a body that was not read (" + why.message + ")" : form_of(status, body);
    error f(errc::network, "GET /account was answered with HTTP " + std::to_string(status) + " and " + form +
                               ": that is not the service but a proxy, the sign-in page of a network or a wrong "
                               "base URL; nothing was submitted to it");
    f.http_status = status;
    f.retry_after = why.retry_after;
    f.raw_body = std::move(why.raw_body);
    return f;
}

}  // namespace vembed::cyberian
