// Responses in other forms than today's: what is not in the way of the result changes nothing, what is ends nothing
// silently.

#include <cstring>
#include <regex>

#include <gtest/gtest.h>

#include "support/corpus_run.hpp"

namespace vembed::testing {
namespace {

class collected final : public response_sink {
public:
    result<void> begin(const response_head&) override {
        text.clear();
        return {};
    }
    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(at_most);
        return room_;
    }
    result<void> commit(std::size_t size) override {
        text.append(reinterpret_cast<const char*>(room_.data()), size);
        return {};
    }
    std::string text;

private:
    std::vector<std::byte> room_;
};

// Hands on what the service says, its JSON edited.
class editing final : public transport {
public:
    using edit = std::function<std::string(const std::string& target, std::string body)>;
    editing(std::shared_ptr<transport> to, edit how) : to_(std::move(to)), how_(std::move(how)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        if (request->target.ends_with("/output")) {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        collected got;
        exchange_outcome outcome = co_await to_->exchange(request, &got, deadline);
        if (outcome.error) {
            co_return outcome;
        }
        const std::string body = how_(request->target, std::move(got.text));
        outcome.head->content_length = body.size();
        (void)sink->begin(*outcome.head);
        const auto room = sink->prepare(body.size());
        std::memcpy(room.data(), body.data(), std::min(room.size(), body.size()));
        (void)sink->commit(body.size());
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }

private:
    std::shared_ptr<transport> to_;
    edit how_;
};

result<bulk_report> run_edited(world& w, corpus_run& r, editing::edit how) {
    client_options options;
    options.base_url = "https://service.test";
    options.api_key = secret::from_key(w.remote->api_key()).value();
    options.env = w.env;
    options.transport_override = std::make_shared<editing>(make_memory_transport(w.env, w.remote), std::move(how));
    client subject(w.context.get_executor(), std::move(options));
    vector_source source(r.texts);
    return w.run(subject.embed_corpus(source, r.sink, r.bulk));
}

std::string without(std::string body, const std::string& member) {
    return std::regex_replace(body, std::regex(",\"" + member + "\":(\"[^\"]*\"|[^,}]*)"), "");
}

std::string with(const std::string& body, const std::string& member) {
    return "{" + member + "," + body.substr(body.find('{') + 1);
}

editing::edit in_receipts(std::function<std::string(std::string)> how) {
    return [how](const std::string& target, std::string body) {
        const bool is_receipt = target.starts_with("/receipts/") && !target.ends_with("/verify");
        return is_receipt ? how(std::move(body)) : body;
    };
}

editing::edit with_field(const std::string& member) {
    return in_receipts([member](const std::string& body) { return with(body, member); });
}

TEST(BulkTolerance, WhatIsNotInTheWayOfTheResultChangesNothing) {
    const std::pair<const char*, editing::edit> edits[] = {
        {"a 201 with nothing but the id",
         [](const std::string& target, std::string body) {
             return target == "/jobs" ? without(without(without(body, "status"), "chunk_count"), "created_at") : body;
         }},
        {"states of jobs without a count, in small letters",
         [](const std::string& target, std::string body) {
             return target.find("/wait") == std::string::npos
                        ? body
                        : std::regex_replace(without(body, "chunk_count"), std::regex("SETTLED"), "settled");
         }},
        {"numbers as text",
         [](const std::string& target, std::string body) {
             return target.starts_with("/jobs")
                        ? std::regex_replace(body,
                                             std::regex("\"(chunk_count|row_start|row_end|chunk_index)\":([0-9]+)"),
                                             "\"$1\":\"$2\"")
                        : body;
         }},
        {"an account without an id",
         [](const std::string& target, std::string body) {
             return target == "/account" ? std::regex_replace(body, std::regex("\"account_id\":\"[^\"]*\","), "")
                                         : body;
         }},
        {"unknown fields with any text",
         [](const std::string& target, std::string body) {
             return target == "/models" ? body
                                        : with(body, R"("x_note":"two\nlines \ud83d","x_list":["\u0000",{"a":"\t"}])");
         }},
        {"a number that no double has", with_field(R"("x_number":[1e400,-1e-400])")},
        {"a deep array", with_field(R"("x_deep":)" + std::string(80, '[') + std::string(80, ']'))},
        {"a key twice in an unknown field", with_field(R"("x_object":{"a":1,"a":2},"x_note":1,"x_note":2)")},
        {"documented fields of other kinds", in_receipts([](std::string body) {
             for (const auto& [name, value] : {std::pair("verification_attestation", R"({"root":"ab"})"),
                                               std::pair("verification_level", "2"), std::pair("issued_at", "null")}) {
                 body = std::regex_replace(body, std::regex("\"" + std::string(name) + "\":\"[^\"]*\""),
                                           "\"" + std::string(name) + "\":" + value);
             }
             return body;
         })},
        {"a byte order mark", [](const std::string&, std::string body) { return "\xef\xbb\xbf" + body; }},
    };
    for (const auto& [name, how] : edits) {
        SCOPED_TRACE(name);
        service_options options;
        options.chunk_size = 10;
        world w{options};
        corpus_run r(corpus(90), 30);
        const auto report = run_edited(w, r, how);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete);
        EXPECT_EQ(report->rows_done, 90U);
        EXPECT_EQ(w.remote->counters().jobs_created, 3U) << "nothing was bought twice";
        r.expect_true_rows();
    }
}

TEST(BulkTolerance, AReceiptThatNamesItsJobTwiceIsNone) {
    world w{service_options()};
    corpus_run r(corpus(10), 10);
    const auto report = run_edited(w, r, [](const std::string& target, std::string body) {
        const bool is_receipt = target.starts_with("/receipts/") && !target.ends_with("/verify");
        return is_receipt ? with(body, R"("job_id":"another")") : body;
    });
    EXPECT_EQ(r.sink.rows.size(), 0U) << "the rows are withheld";
    if (report) {
        EXPECT_EQ(report->rows_done, 0U);
    }
}

}  // namespace
}  // namespace vembed::testing
