#pragma once
/// Keeps a service alive whatever a request makes it do.

#include <exception>

#include <vembed/testing/local_service.hpp>

namespace vembed::local_service {

/// What `answer()` gives. If it throws, memory ran out or the service has a bug: the peer gets a 500 without a body,
/// and the service goes on.
template <class Answer>
testing::service_response guarded(const Answer& answer) {
    try {
        return answer();
    } catch (const std::exception&) {
        testing::service_response broken;
        broken.status = 500;
        return broken;
    }
}

}  // namespace vembed::local_service
