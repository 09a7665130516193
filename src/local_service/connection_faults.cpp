#include "local_service/connection_faults.hpp"

#include <algorithm>

#include "local_service/draw.hpp"

namespace vembed::local_service {
namespace {

// No response's head is smaller, so that a cut falls before the end of the response whatever its head's size is.
constexpr std::uint64_t head_bytes_min = 64;

// Apart from the purposes of the services, which begin at 0.
enum class purpose : std::uint16_t { drop = 1000, in_response, place, reset };

}  // namespace

testing::service_arrival connection_faults::arrive(std::uint64_t ordinal, std::uint64_t expected_size) const {
    testing::service_arrival arrival;
    arrival.ordinal = ordinal;
    if (draw_strikes(seed_, ordinal, purpose::drop, drop_) && draw(seed_, ordinal, purpose::in_response) % 2 == 0) {
        arrival.cut_request_after =
            draw_below(seed_, ordinal, purpose::place, std::max<std::uint64_t>(expected_size, 1));
        arrival.cut_with_reset = draw(seed_, ordinal, purpose::reset) % 2 == 0;
    }
    return arrival;
}

void connection_faults::cut(std::uint64_t ordinal, testing::service_response& response) const {
    if (draw_strikes(seed_, ordinal, purpose::drop, drop_) && draw(seed_, ordinal, purpose::in_response) % 2 != 0) {
        response.cut_after = draw_below(seed_, ordinal, purpose::place,
                                        head_bytes_min + response.length.value_or(response.body().size()));
        response.cut_with_reset = draw(seed_, ordinal, purpose::reset) % 2 == 0;
    }
}

}  // namespace vembed::local_service
