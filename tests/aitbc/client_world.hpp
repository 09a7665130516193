#pragma once
/// An AITBC client in virtual time, over a script or over the local service.

#include <memory>
#include <string>
#include <utility>

#include <vembed/aitbc/client.hpp>
#include <vembed/testing/aitbc_service.hpp>

#include "support/scripted_transport.hpp"
#include "support/virtual_time.hpp"

namespace vembed::aitbc {

inline job_request text_request(std::string input) {
    job_request request;
    request.model = "m";
    request.input = std::move(input);
    return request;
}

/// Every request is in a script.
class scripted_world {
public:
    explicit scripted_world(dialect asked_in = dialect::docs) { options.asked_in = asked_in; }

    client& subject() {
        if (!made_) {
            options.base_url = "https://api.example";
            options.api_key = secret::from_key("the-api-key", "").value();
            options.env = world.env;
            options.transports = [over = server](const std::string&) { return over; };
            made_ = std::make_unique<client>(world.context.get_executor(), options);
        }
        return *made_;
    }

    testing_support::simulation world;
    std::shared_ptr<testing_support::scripted_transport> server =
        std::make_shared<testing_support::scripted_transport>(world.env);
    client_options options;

private:
    std::unique_ptr<client> made_;
};

/// The local service answers.
class served_world {
public:
    explicit served_world(testing::aitbc_options chosen = {}, client_options client_chosen = {})
        : service(std::make_shared<testing::aitbc_service>(std::move(chosen))), options(std::move(client_chosen)) {
        options.base_url = "https://api.example";
        options.api_key = secret::from_key(service->api_key(), "").value();
        options.env = world.env;
        options.transports = [this](const std::string&) { return testing::make_memory_transport(world.env, service); };
        subject = std::make_unique<client>(world.context.get_executor(), options);
    }

    testing_support::simulation world;
    std::shared_ptr<testing::aitbc_service> service;
    client_options options;
    std::unique_ptr<client> subject;
};

}  // namespace vembed::aitbc
