#pragma once
/// Sends what must not be sent twice: enters the account's gate, records the try and sends; repeats all of it only
/// after a refusal that certainly had no effect.

#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "admission/gate.hpp"
#include "http/pipeline.hpp"

namespace vembed::http {

/// What is submitted.
class submission_call {
public:
    std::function<call()> make;        ///< Called for each try.
    admission::chunk_estimate chunks;  ///< Of the account's quota; 0 if the service has none.
    /// The response comes only when the work is done.
    bool answers_late = false;
    /// Whether a refusal says that the work was done and charged: it is then not sent again. May be empty.
    std::function<bool(const error& refused)> worked_on;

    submission_call() : chunks(0) {}
};

/// The last try. `lease` is still held if the outcome is accepted or unknown, or if the refused work was done.
class sent_submission {
public:
    post_result sent;
    admission::lease lease;

    sent_submission() = default;
};

/// An error means that no request with an effect was sent: the gate's, the record's, or cancelled. Otherwise the value
/// has the outcome of the last try, which may be a refusal after which another try makes no sense.
asio::awaitable<result<sent_submission>> submit(std::shared_ptr<pipeline> through, submission_call what,
                                                admission::applicant who, monotonic_time deadline);

}  // namespace vembed::http
