#pragma once
/// Asks a service in virtual time: a held request moves the time on to where it ends.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <vembed/testing/service.hpp>

namespace vembed {

class service_driver {
public:
    explicit service_driver(testing::service_options options = {})
        : service(std::move(options)), key(service.api_key()) {}

    testing::service_response ask(std::string method, std::string target, std::string body = {}) {
        testing::service_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.authorization = key.empty() ? std::string() : "Bearer " + key;
        request.content_type = body.empty() ? "" : "application/json";
        request.body = body;
        const testing::service_arrival arrival = service.arrive(body.size() + 200);
        testing::service_response response = service.handle(arrival.ordinal, request, now, wall);
        while (response.hold_until) {
            advance(*response.hold_until - now);
            response = service.handle(arrival.ordinal, request, now, wall);
        }
        return response;
    }

    void advance(monotonic_clock::duration time) {
        now += time;
        wall += std::chrono::floor<std::chrono::milliseconds>(time);
    }

    testing::service_response submit(std::size_t inputs, std::string_view model = "bge-small-v1.5") {
        return ask("POST", "/jobs", body_of(inputs, model));
    }

    static std::string body_of(std::size_t inputs, std::string_view model = "bge-small-v1.5") {
        boost::json::array texts;
        for (std::size_t i = 0; i < inputs; ++i) {
            texts.emplace_back("text number " + std::to_string(i));
        }
        boost::json::object body{{"model", boost::json::string_view(model.data(), model.size())}};
        body["inputs"] = std::move(texts);
        return boost::json::serialize(body);
    }

    testing::service service;
    std::string key;
    monotonic_time now{std::chrono::hours(1)};
    wall_time wall{std::chrono::sys_days{std::chrono::year(2026) / 1 / 31}};
};

inline boost::json::object json_of(const testing::service_response& response) {
    return boost::json::parse(response.text).as_object();
}

inline std::string error_of(const testing::service_response& response) {
    return std::string(json_of(response).at("error").as_string());
}

inline std::string id_of(const testing::service_response& submitted) {
    return std::string(json_of(submitted).at("id").as_string());
}

inline std::optional<std::string> header_of(const testing::service_response& response, std::string_view name) {
    const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                    [&](const header_field& header) { return header.name == name; });
    return found == response.headers.end() ? std::nullopt : std::optional(found->value);
}

}  // namespace vembed
