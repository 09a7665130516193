#pragma once
/// Gives a body to a response's sink, as a transport does.

#include <cstddef>
#include <cstring>
#include <span>
#include <string>

#include <vembed/transport/transport.hpp>

namespace vembed::testing {

inline void give(const std::string& body, response_sink* sink, exchange_outcome* outcome) {
    outcome->response_begun = true;
    outcome->head->content_length = body.size();
    if (const auto begun = sink->begin(*outcome->head); !begun) {
        outcome->error = begun.error();
        return;
    }
    std::size_t given = 0;
    while (given < body.size()) {
        const std::span<std::byte> room = sink->prepare(body.size() - given);
        if (room.empty()) {
            outcome->error = error(errc::protocol, "the response is longer than its sink takes");
            return;
        }
        std::memcpy(room.data(), body.data() + given, room.size());
        (void)sink->commit(room.size());
        given += room.size();
    }
}

}  // namespace vembed::testing
