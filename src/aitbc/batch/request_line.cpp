#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <boost/json/value.hpp>

#include <vembed/aitbc/batch.hpp>

#include "job_batch/request_line.hpp"

namespace vembed::aitbc {
namespace {

namespace json = boost::json;

// Reads members of one object; the first fault counts.
class members {
public:
    explicit members(const json::object& from) : from_(&from) {}

    void text(std::string& into, std::string_view name) {
        if (const json::value* found = from_->if_contains(name)) {
            if (found->is_string()) {
                into = std::string(found->get_string());
            } else {
                fail(job_batch::not_of_kind(name, "a text"));
            }
        }
    }

    void count(std::optional<std::uint64_t>& into, std::string_view name) {
        if (const json::value* found = from_->if_contains(name)) {
            json::error_code none;
            const auto number = found->to_number<std::uint64_t>(none);
            if (none) {
                fail(job_batch::not_of_kind(name, "a whole number of 0 or more"));
            } else {
                into = number;
            }
        }
    }

    /// Null if it is absent.
    const json::object* object(std::string_view name) {
        const json::value* found = from_->if_contains(name);
        if (found != nullptr && !found->is_object()) {
            fail(job_batch::not_of_kind(name, "an object"));
        }
        return found == nullptr ? nullptr : found->if_object();
    }

    template <std::size_t N>
    void only(const std::array<std::string_view, N>& names) {
        for (const auto& member : *from_) {
            bool is_known = false;
            for (const std::string_view name : names) {
                is_known = is_known || name == std::string_view(member.key());
            }
            if (!is_known) {
                fail(job_batch::unknown_member(member.key()));
            }
        }
    }

    void fail(error why) { fault = fault ? fault : std::optional(std::move(why)); }
    std::optional<error> fault;

private:
    const json::object* from_;
};

std::optional<job_priority> priority_of(std::string_view word) {
    for (const job_priority one : {job_priority::low, job_priority::normal, job_priority::high, job_priority::urgent}) {
        if (word == to_string(one)) {
            return one;
        }
    }
    return std::nullopt;
}

void read_parts(members& from, job_request& into) {
    if (const json::object* config = from.object("output_config")) {
        members inner(*config);
        inner.only(std::array<std::string_view, 2>{"destination", "format"});
        inner.text(into.output_destination, "destination");
        inner.text(into.output_format, "format");
        from.fault = from.fault ? from.fault : inner.fault;
    }
    if (const json::object* needs = from.object("requirements")) {
        members inner(*needs);
        inner.only(std::array<std::string_view, 3>{"gpu_type", "gpu_count", "min_vram_gb"});
        inner.text(into.gpu_type, "gpu_type");
        inner.count(into.gpu_count, "gpu_count");
        inner.count(into.min_vram_gb, "min_vram_gb");
        from.fault = from.fault ? from.fault : inner.fault;
    }
    if (const json::object* payload = from.object("payload")) {
        into.payload = *payload;
    }
    if (const json::object* constraints = from.object("constraints")) {
        into.constraints = *constraints;
    }
}

}  // namespace

result<job_request> read_request(std::string_view line) {
    const result<json::object> read = job_batch::read_request_line(line);
    if (!read) {
        return read.error();
    }
    members from(*read);
    from.only(std::array<std::string_view, 10>{"model", "input", "output_config", "requirements", "priority",
                                               "timeout_seconds", "payload", "constraints", "payment_amount",
                                               "payment_currency"});
    job_request made;
    from.text(made.model, "model");
    from.text(made.input, "input");
    from.text(made.payment_currency, "payment_currency");
    read_parts(from, made);
    std::string priority(to_string(made.priority));
    from.text(priority, "priority");
    if (const auto known = priority_of(priority)) {
        made.priority = *known;
    } else {
        from.fail(job_batch::not_of_kind("priority", "low, normal, high or urgent"));
    }
    std::optional<std::uint64_t> timeout;
    from.count(timeout, "timeout_seconds");
    if (timeout) {
        made.timeout = std::chrono::seconds(std::min<std::uint64_t>(*timeout, 1'000'000'000));
    }
    std::string amount;
    from.text(amount, "payment_amount");
    if (!amount.empty()) {
        made.payment_amount = amount;
    }
    if (from.fault) {
        return *from.fault;
    }
    return made;
}

}  // namespace vembed::aitbc
