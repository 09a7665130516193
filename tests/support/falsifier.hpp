#pragma once
/// A service whose responses a test rewrites on the way or replaces.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "support/corpus_run.hpp"
#include "support/given_body.hpp"
#include "support/mortal.hpp"

namespace vembed::testing {

class canned {
public:
    int status = 200;
    std::string body;
    std::vector<header_field> headers;

    canned() = default;
    canned(int code, std::string text, std::vector<header_field> fields = {})
        : status(code), body(std::move(text)), headers(std::move(fields)) {}
};

class collected final : public response_sink {
public:
    result<void> begin(const response_head&) override { return {}; }
    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(at_most);
        return room_;
    }
    result<void> commit(std::size_t size) override {
        body.append(reinterpret_cast<const char*>(room_.data()), size);
        return {};
    }

    std::string body;

private:
    std::vector<std::byte> room_;
};

class reheaded final : public response_sink {
public:
    reheaded(response_sink* to, std::function<void(response_head&)> rewrite) : to_(to), rewrite_(std::move(rewrite)) {}
    result<void> begin(const response_head& head) override {
        response_head other = head;
        rewrite_(other);
        return to_->begin(other);
    }
    std::span<std::byte> prepare(std::size_t at_most) override { return to_->prepare(at_most); }
    result<void> commit(std::size_t size) override { return to_->commit(size); }

private:
    response_sink* to_;
    std::function<void(response_head&)> rewrite_;
};

/// Passes requests on, but answers some instead of the service, and rewrites the service's responses to others.
class falsifier final : public transport {
public:
    falsifier(std::shared_ptr<environment> env, std::shared_ptr<transport> to)
        : env_(std::move(env)), to_(std::move(to)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        ++requests;
        const std::string target = request->target;
        const std::optional<canned> instead = answer ? answer(target) : std::nullopt;
        if (instead) {
            exchange_outcome outcome;
            outcome.bytes_written = 1000;
            outcome.request_written = true;
            outcome.head.emplace();
            outcome.head->status = instead->status;
            outcome.head->headers = instead->headers;
            give(instead->body, sink, &outcome);
            co_return outcome;
        }
        if (rewrite_output_head && target.ends_with("/output")) {
            reheaded other(sink, rewrite_output_head);
            co_return co_await to_->exchange(request, &other, deadline);
        }
        if (!rewrite || target.ends_with("/output")) {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        collected whole;
        exchange_outcome outcome = co_await to_->exchange(request, &whole, deadline);
        if (outcome.head && !outcome.error) {
            rewrite(target, whole.body);
            give(whole.body, sink, &outcome);
        }
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }

    std::function<std::optional<canned>(const std::string& target)> answer;
    std::function<void(const std::string& target, std::string& body)> rewrite;
    std::function<void(response_head&)> rewrite_output_head;
    std::uint64_t requests = 0;

private:
    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> to_;
};

class false_world : public world {
public:
    explicit false_world(service_options chosen = options()) : world(std::move(chosen)) { again(); }

    void again() {
        subject.reset();
        env->run();
        net = std::make_shared<falsifier>(env, make_memory_transport(env, remote));
        client_options chosen;
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = env;
        chosen.transport_override = net;
        subject.emplace(context.get_executor(), std::move(chosen));
    }

    static service_options options() {
        service_options chosen;
        chosen.account_tier = tier::paid;
        return chosen;
    }

    std::shared_ptr<falsifier> net;
};

/// A run of 5 jobs with a journal in memory.
class remembered_run : public corpus_run {
public:
    explicit remembered_run(std::size_t rows = 500) : corpus_run(numbered(rows), 100), journal(life) {
        bulk.journal = &journal;
        bulk.on_unknown = unknown_policy::resubmit;
        bulk.max_extra_chunks = 1000;
    }

    static std::vector<std::string> numbered(std::size_t rows) {
        std::vector<std::string> lines;
        for (std::size_t i = 0; i < rows; ++i) {
            lines.push_back("text " + std::to_string(i));
        }
        return lines;
    }

    void next_process() {
        sink.described = 0;
        sink.expected_rows.reset();
    }

    std::shared_ptr<lifetime> life = std::make_shared<lifetime>();
    memory_journal journal;
};

inline bool asks_for_job(const std::string& target, std::string_view what) {
    return target.starts_with("/jobs/") && target.find(what) != std::string::npos;
}

}  // namespace vembed::testing
