#include "service/faults/fault_plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "service/faults/draw.hpp"
#include "text/http_date.hpp"

namespace vembed::service {
namespace {

// No response's head is smaller, so that a cut falls before the end of the response whatever its head's size is.
constexpr std::uint64_t head_bytes_min = 64;

void flip_bit(testing::service_response& response, std::uint64_t bit) {
    auto copy = std::make_shared<std::vector<std::byte>>(response.output.begin(), response.output.end());
    (*copy)[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    response.output = *copy;
    response.output_owner = std::move(copy);
}

void set_header(testing::service_response& response, std::string_view name, std::string value) {
    for (header_field& header : response.headers) {
        if (header.name == name) {
            header.value = std::move(value);
            return;
        }
    }
}

}  // namespace

std::string http_date_in_form(wall_time time, std::uint64_t form) {
    if (form == 0) {
        return text::format_http_date(time);
    }
    static constexpr std::array<const char*, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                     "Thursday", "Friday", "Saturday"};
    static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    const char* weekday = days[std::chrono::weekday(day).c_encoding()];
    const char* month = months[static_cast<unsigned>(date.month()) - 1];
    const auto month_day = static_cast<unsigned>(date.day());
    const int year = static_cast<int>(date.year());
    const auto hour = static_cast<int>(clock.hours().count());
    const auto minute = static_cast<int>(clock.minutes().count());
    const auto second = static_cast<int>(clock.seconds().count());
    std::array<char, 64> text{};
    const int size = form == 1 ? std::snprintf(text.data(), text.size(), "%s, %02u-%s-%02d %02d:%02d:%02d GMT", weekday,
                                               month_day, month, year % 100, hour, minute, second)
                               : std::snprintf(text.data(), text.size(), "%.3s %s %2u %02d:%02d:%02d %04d", weekday,
                                               month, month_day, hour, minute, second, year);
    return std::string(text.data(), static_cast<std::size_t>(size));
}

testing::service_arrival fault_plan::arrive(std::uint64_t ordinal, std::uint64_t expected_size) const {
    testing::service_arrival arrival;
    arrival.ordinal = ordinal;
    const bool in_request = draw(seed_, ordinal, purpose::drop_response) % 2 == 0;
    if (draw_strikes(seed_, ordinal, purpose::drop, rates_.drop) && in_request) {
        arrival.cut_request_after =
            draw_below(seed_, ordinal, purpose::drop_place, std::max<std::uint64_t>(expected_size, 1));
        arrival.cut_with_reset = draw(seed_, ordinal, purpose::reset) % 2 == 0;
    }
    return arrival;
}

instead fault_plan::instead_of(std::uint64_t ordinal, bool submits, bool authenticated) const {
    if (draw_strikes(seed_, ordinal, purpose::bad_gateway, rates_.bad_gateway)) {
        return instead::bad_gateway;
    }
    if (draw_strikes(seed_, ordinal, purpose::empty_error, rates_.empty_error)) {
        return instead::empty_error;
    }
    if (authenticated && draw_strikes(seed_, ordinal, purpose::busy, rates_.busy)) {
        return instead::busy;
    }
    if (authenticated && draw_strikes(seed_, ordinal, purpose::rate_limited, rates_.rate_limited)) {
        return instead::rate_limited;
    }
    if (submits && draw_strikes(seed_, ordinal, purpose::inflight, rates_.inflight)) {
        return instead::inflight;
    }
    return instead::nothing;
}

bool fault_plan::acts_first(std::uint64_t ordinal) const {
    return draw(seed_, ordinal, purpose::act_first) % 2 == 0;
}

testing::service_response fault_plan::faulty_response(std::uint64_t ordinal, instead what) const {
    const std::uint64_t wait_s =
        1 + draw_below(seed_, ordinal, purpose::retry_after, std::max<std::uint64_t>(rates_.retry_after_s_max, 1));
    refusal why;
    why.retry_after = std::to_string(wait_s);
    switch (what) {
        case instead::bad_gateway: {
            testing::service_response response;
            response.status = 502;
            response.headers.emplace_back("Content-Type", "text/html");
            response.text = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n";
            return response;
        }
        case instead::empty_error: {
            testing::service_response response;
            response.status = 500;
            return response;
        }
        case instead::busy:
            why.status = 503;
            why.code = "service_busy";
            why.message = "the service is busy (a planned fault)";
            break;
        case instead::inflight:
            why.status = 429;
            why.code = "too_many_inflight";
            why.message = "too many unsettled jobs (a planned fault)";
            break;
        case instead::nothing:
        case instead::rate_limited:
            why.status = 429;
            why.code = "rate_limited";
            why.message = "too fast (a planned fault)";
            break;
    }
    return error_response(why);
}

void fault_plan::date_retry_after(std::uint64_t ordinal, testing::service_response& response, wall_time wall) const {
    if (!draw_strikes(seed_, ordinal, purpose::retry_after_date, rates_.retry_after_date)) {
        return;
    }
    for (header_field& header : response.headers) {
        std::int64_t wait_s = 0;
        const char* const end = header.value.data() + header.value.size();
        if (header.name != "Retry-After" || std::from_chars(header.value.data(), end, wait_s).ptr != end) {
            continue;
        }
        // A date has whole seconds: it is rounded up, because "in one second" could otherwise be past already.
        const auto until = std::chrono::ceil<std::chrono::seconds>(wall + std::chrono::seconds(wait_s));
        header.value = http_date_in_form(until, draw_below(seed_, ordinal, purpose::retry_after_form, 3));
    }
}

std::optional<monotonic_clock::duration> fault_plan::delay(std::uint64_t ordinal) const {
    if (!draw_strikes(seed_, ordinal, purpose::delay, rates_.delay)) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(
        1 + draw_below(seed_, ordinal, purpose::delay_length, std::max<std::uint64_t>(rates_.delay_ms_max, 1)));
}

void fault_plan::cut(std::uint64_t ordinal, testing::service_response& response) const {
    const bool in_response = draw(seed_, ordinal, purpose::drop_response) % 2 != 0;
    if (draw_strikes(seed_, ordinal, purpose::drop, rates_.drop) && in_response) {
        response.cut_after = draw_below(seed_, ordinal, purpose::drop_place, head_bytes_min + response.body().size());
        response.cut_with_reset = draw(seed_, ordinal, purpose::reset) % 2 == 0;
    }
}

void fault_plan::spoil_output(std::uint64_t ordinal, testing::service_response& response, std::uint64_t rows,
                              std::uint64_t dimensions) const {
    if (draw_strikes(seed_, ordinal, purpose::truncate, rates_.truncate)) {
        response.cut_after = draw_below(seed_, ordinal, purpose::truncate_place, response.output.size());
    }
    if (draw_strikes(seed_, ordinal, purpose::corrupt, rates_.corrupt)) {
        flip_bit(response, draw_below(seed_, ordinal, purpose::corrupt_place, response.output.size() * 8));
    }
    if (draw_strikes(seed_, ordinal, purpose::wrong_shape, rates_.wrong_shape)) {
        set_header(response, "X-Cyberian-Shape", std::to_string(rows + 1) + "," + std::to_string(dimensions));
    }
}

bool fault_plan::invalid_receipt(std::uint64_t ordinal) const {
    return draw_strikes(seed_, ordinal, purpose::invalid_receipt, rates_.invalid_receipt);
}

job_fate fault_plan::fate_of(std::uint64_t job) const {
    if (draw_strikes(seed_, job, purpose::refund, rates_.refund)) {
        return job_fate::refunded;
    }
    return draw_strikes(seed_, job, purpose::failed_chunk, rates_.failed_chunk) ? job_fate::failed : job_fate::settled;
}

std::optional<testing::proof_fault> fault_plan::proof_fault_of(std::uint64_t job) const {
    for (const testing::spoiled_jobs& jobs : spoiled_) {
        if (job >= jobs.first && job <= jobs.last) {
            return jobs.fault;
        }
    }
    for (const testing::proof_fault fault : testing::proof_faults) {
        const auto index = static_cast<std::size_t>(fault);
        if (draw_strikes(seed_, job ^ mix64(index), purpose::proof_fault, rates_.proof[index])) {
            return fault;
        }
    }
    return std::nullopt;
}

bool fault_plan::chunk_failed(std::uint64_t job, std::uint64_t chunk, std::uint64_t chunks) const {
    const std::uint64_t certain = draw_below(seed_, job, purpose::failed_place, chunks);
    return chunk == certain || draw(seed_, job ^ mix64(chunk), purpose::failed_place) % 8 == 0;
}

}  // namespace vembed::service
