// A user's program: asks the local service for its models, in memory, and checks that errors come as typed exceptions.

#include <iostream>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/verify/sha256.hpp>

namespace {

int status_of(vembed::testing::service& service, const std::string& authorization) {
    vembed::testing::service_request request;
    request.method = "GET";
    request.target = "/models";
    request.authorization = authorization;
    const auto arrival = service.arrive(256);
    const auto response = service.handle(arrival.ordinal, request, vembed::monotonic_time{}, vembed::wall_time{});
    return response.status;
}

bool throws_typed_exception() {
    const vembed::result<int> refused = vembed::error(vembed::errc::unauthorized, "no such key");
    try {
        return refused.value() == 0;
    } catch (const vembed::auth_error& error) {
        return error.details().kind == vembed::errc::unauthorized;
    }
}

}  // namespace

int main() {
    vembed::testing::service service{vembed::testing::service_options{}};
    const bool good = status_of(service, "Bearer " + service.api_key()) == 200 &&
                      status_of(service, "Bearer cyb_other") == 401 && throws_typed_exception() &&
                      vembed::to_hex(vembed::sha256_of(std::string_view{})).starts_with("e3b0c44298fc1c14");
    std::cout << (good ? "consumer works\n" : "consumer failed\n");
    return good ? 0 : 1;
}
