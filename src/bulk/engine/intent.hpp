#pragma once
/// The journal's record of the tries of one batch. The engine asks the endpoints to submit, and the endpoints ask this
/// between the gate and the POST.

#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class intent final : public admission::send_record {
public:
    intent(run_state* run, batch* item, submission_kind kind) : run_(run), item_(item), kind_(kind) {}

    asio::awaitable<result<void>> about_to_send() override;
    asio::awaitable<result<void>> to_be_sent_again() override { return revoke(); }

    /// Takes the intent out of the journal, if it is there.
    asio::awaitable<result<void>> revoke();

    [[nodiscard]] submission_kind kind() const noexcept { return kind_; }
    /// True if the try was withdrawn because an outage had begun when its turn came.
    [[nodiscard]] bool held_back() const noexcept { return held_back_; }

private:
    bool may_go();

    run_state* run_;
    batch* item_;
    submission_kind kind_;
    bool held_back_ = false;
};

}  // namespace vembed::bulk
