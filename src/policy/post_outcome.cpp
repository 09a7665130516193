#include "policy/post_outcome.hpp"

namespace vembed::policy {

post_outcome classify_post(const post_evidence& evidence) noexcept {
    if (!evidence.reply_complete) {
        return evidence.bytes_written == 0 ? post_outcome::not_sent : post_outcome::unknown;
    }
    const int status = evidence.status;
    if (status >= 200 && status < 300) {
        return post_outcome::accepted;
    }
    if (status >= 300 && status < 500) {
        return (status == 408 && !evidence.documented_error_body) ? post_outcome::unknown : post_outcome::rejected;
    }
    if (status >= 500 && status != 504 && evidence.documented_error_body) {
        return post_outcome::rejected;
    }
    return post_outcome::unknown;
}

}  // namespace vembed::policy
