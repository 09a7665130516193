#include "http/submission.hpp"

#include <utility>

#include "http/refusals.hpp"

namespace vembed::http {
namespace {

// Gets a reservation in the quota for one try. If the applicant keeps a record, the try is recorded before it is sent.
asio::awaitable<result<admission::lease>> enter(std::shared_ptr<admission::gate> gate, const submission_call* what,
                                                const admission::applicant* who, monotonic_time deadline) {
    for (;;) {
        result<admission::lease> entered = co_await gate->enter(what->chunks, *who, deadline);
        if (!entered || who->record == nullptr) {
            co_return entered;
        }
        const result<void> recorded = co_await who->record->about_to_send();
        if (!recorded) {
            co_return recorded.error();
        }
        if (!gate->is_closed()) {
            co_return entered;
        }
        entered->release();  // The service asked for a pause while the try was recorded.
        const result<void> undone = co_await who->record->to_be_sent_again();
        if (!undone) {
            co_return undone.error();
        }
    }
}

// Whether there is nothing to send again: the request had an effect, or may have had one.
bool has_ended(const post_result& sent, const submission_call& what) {
    return sent.outcome == policy::post_outcome::accepted || sent.outcome == policy::post_outcome::unknown ||
           (what.worked_on && what.worked_on(*sent.error));
}

}  // namespace

asio::awaitable<result<sent_submission>> submit(std::shared_ptr<pipeline> through, submission_call what,
                                                admission::applicant who, monotonic_time deadline) {
    const std::shared_ptr<environment>& env = through->env();
    refusals refused;
    for (;;) {
        result<admission::lease> entered = co_await enter(through->gate(), &what, &who, deadline);
        if (!entered) {
            co_return entered.error();
        }
        entered->sent();
        if (what.answers_late) {
            entered->answers_late();
        }
        call next = what.make();
        sent_submission made;
        made.sent = co_await through->send_once(std::move(next));
        if (has_ended(made.sent, what)) {
            made.lease = std::move(*entered);
            co_return std::move(made);
        }
        entered->refused(*made.sent.error);
        const std::optional<monotonic_time> again = refused.next_try(made.sent, who.who, *through, deadline);
        if (!again) {
            co_return std::move(made);
        }
        if (who.record != nullptr) {
            const result<void> undone = co_await who.record->to_be_sent_again();
            if (!undone) {
                co_return undone.error();
            }
        }
        if (*again > env->now()) {
            const monotonic_time until = *again;
            const wait_outcome waited = co_await sleep_until(env, until);
            if (waited == wait_outcome::cancelled) {
                co_return error(errc::cancelled, "cancelled while waiting to submit again");
            }
        }
    }
}

}  // namespace vembed::http
