#pragma once
/// A Cyberun client in virtual time, over a script or over the local service and its store.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <vembed/cyberun/client.hpp>
#include <vembed/testing/cyberun_service.hpp>

#include "support/scripted_transport.hpp"
#include "support/virtual_time.hpp"

namespace vembed::cyberun {

inline boost::json::object text_parameters() {
    boost::json::object made;
    made["text"] = "hello";
    return made;
}

inline boost::json::object bytes_parameters(std::uint64_t bytes) {
    boost::json::object made;
    made["bytes"] = bytes;
    return made;
}

inline std::string state_of(const std::string& id, const std::string& state) {
    return R"({"id":")" + id + R"(","task_status":")" + state + R"("})";
}

inline call_options within(std::chrono::milliseconds timeout) {
    call_options made;
    made.timeout = timeout;
    return made;
}

/// Every request is in a script: those to the service, and those to "http://store.test".
class scripted_world {
public:
    client& subject() {
        if (!made_) {
            options.base_url = "http://localhost";
            options.api_key = secret::from_key("the-api-key", "").value();
            options.env = world.env;
            options.transports = [this](const std::string& origin) -> std::shared_ptr<transport> {
                origins.push_back(origin);
                return origin == "http://localhost" ? server : store;
            };
            made_ = std::make_unique<client>(world.context.get_executor(), options);
        }
        return *made_;
    }

    testing_support::simulation world;
    std::shared_ptr<testing_support::scripted_transport> server =
        std::make_shared<testing_support::scripted_transport>(world.env);
    std::shared_ptr<testing_support::scripted_transport> store =
        std::make_shared<testing_support::scripted_transport>(world.env);
    std::vector<std::string> origins;
    client_options options;

private:
    std::unique_ptr<client> made_;
};

/// The local service and its store answer; "http://other.test" is the same store.
class served_world {
public:
    explicit served_world(testing::cyberun_options chosen = {}, client_options client_chosen = {})
        : service(std::make_shared<testing::cyberun_service>(std::move(chosen))), options(std::move(client_chosen)) {
        options.base_url = "http://localhost";
        options.api_key = secret::from_key(service->api_key(), "").value();
        options.env = world.env;
        std::map<std::string, std::shared_ptr<testing::local_service>> services;
        services.emplace("http://localhost", service);
        services.emplace("http://store.test", service->store());
        services.emplace("http://other.test", service->store());
        options.transports = testing::make_memory_network(world.env, std::move(services));
        subject = std::make_unique<client>(world.context.get_executor(), options);
    }

    /// Starts a task of "make-bytes" and waits for its end.
    std::string ended_task(std::uint64_t bytes) {
        const auto accepted = world.run(subject->run("make-bytes", bytes_parameters(bytes)));
        (void)world.run(subject->wait_task(accepted.value().task_id));
        return accepted->task_id;
    }

    testing_support::simulation world;
    std::shared_ptr<testing::cyberun_service> service;
    client_options options;
    std::unique_ptr<client> subject;
};

}  // namespace vembed::cyberun
