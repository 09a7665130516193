#pragma once
/// Asks a local service in virtual time: a held request, and a body that goes on, move the time on.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::testing_support {

/// A response whose body was read to its end.
class read_response {
public:
    int status = 0;
    std::vector<header_field> headers;
    std::string body;
    std::size_t pieces = 0;
    bool cut = false;  ///< The connection was cut within the body, or is to be cut within the response.

    read_response() = default;

    [[nodiscard]] boost::json::object json() const { return boost::json::parse(body).as_object(); }
    [[nodiscard]] std::string text(std::string_view member) const { return std::string(json().at(member).as_string()); }
    [[nodiscard]] std::string header(std::string_view name) const {
        for (const header_field& field : headers) {
            if (field.name == name) {
                return field.value;
            }
        }
        return {};
    }
};

class local_driver {
public:
    explicit local_driver(testing::local_service& to) : service_(&to) {}

    read_response ask(std::string method, std::string target, std::string body = {},
                      std::vector<header_field> more = {}) {
        testing::service_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = std::move(more);
        request.headers.insert(request.headers.end(), headers.begin(), headers.end());
        request.authorization = std::string(request.find("Authorization").value_or(""));
        request.body = body;
        const testing::service_arrival arrival = service_->arrive(body.size() + 200);
        testing::service_response response = service_->handle(arrival.ordinal, request, now, wall);
        while (response.hold_until) {
            advance(*response.hold_until - now);
            response = service_->handle(arrival.ordinal, request, now, wall);
        }
        return read(response);
    }

    void advance(monotonic_clock::duration time) {
        if (time > monotonic_clock::duration::zero()) {
            now += time;
            wall += std::chrono::ceil<std::chrono::milliseconds>(time);
        }
    }

    std::vector<header_field> headers;  ///< Sent with every request.
    monotonic_time now{std::chrono::hours(1)};
    wall_time wall{std::chrono::sys_days{std::chrono::year(2026) / 1 / 31}};

private:
    read_response read(const testing::service_response& response) {
        read_response done;
        done.status = response.status;
        done.headers = response.headers;
        done.cut = response.cut_after.has_value();
        done.body = response.text;
        while (response.rest) {
            const testing::body_piece piece = response.rest->next(now, wall);
            done.body += piece.bytes;
            ++done.pieces;
            if (piece.after != testing::body_piece::then::more) {
                done.cut = done.cut || piece.after == testing::body_piece::then::cut;
                break;
            }
            advance(piece.next_at - now);
        }
        return done;
    }

    testing::local_service* service_;
};

}  // namespace vembed::testing_support
