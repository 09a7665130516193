// A bulk run whose POST /jobs is cut at every byte of the request and of the response, in virtual time. Policy park: no
// job is made twice, and what the report says of the batch is what happened.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/mortal.hpp"
#include "support/virtual_time.hpp"

#include <vembed/client/client.hpp>
#include <vembed/testing/service.hpp>

namespace vembed::testing {
namespace {

constexpr std::size_t rows = 12;
constexpr std::uint64_t jobs = 3;

// Keeps a whole response.
class kept_response final : public response_sink {
public:
    result<void> begin(const response_head& head) override {
        head_ = head;
        return {};
    }
    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(std::min<std::size_t>(at_most, 4096));
        return room_;
    }
    result<void> commit(std::size_t size) override {
        body_.insert(body_.end(), room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size));
        return {};
    }
    [[nodiscard]] std::size_t size() const { return body_.size(); }

    /// Gives another sink the head and so many bytes of the body.
    result<void> replay(response_sink* to, std::size_t bytes) const {
        auto done = to->begin(*head_);
        for (std::size_t at = 0; done && at < bytes;) {
            const std::span<std::byte> room = to->prepare(bytes - at);
            const std::size_t size = std::min(room.size(), bytes - at);
            std::memcpy(room.data(), body_.data() + at, size);
            done = to->commit(size);
            at += size;
        }
        return done;
    }

private:
    std::optional<response_head> head_;
    std::vector<std::byte> body_;
    std::vector<std::byte> room_;
};

enum class cut_where { request, before_response, response_body };

class cut {
public:
    std::uint64_t post = 0;  ///< From 1; 0: none.
    cut_where where = cut_where::request;
    std::size_t after = 0;

    cut() = default;
    cut(std::uint64_t which, cut_where place, std::size_t bytes) : post(which), where(place), after(bytes) {}
};

class cutting_transport final : public transport {
public:
    cutting_transport(std::shared_ptr<transport> to, cut what) : to_(std::move(to)), cut_(what) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        const bool submits = request->method == http_method::post && request->target == "/jobs";
        if (!submits || ++posts_ != cut_.post) {
            exchange_outcome whole = co_await to_->exchange(request, sink, deadline);
            co_return whole;
        }
        request_size = request->body.size();
        exchange_outcome broken;
        broken.error = error(errc::network, "the connection was cut");
        if (cut_.where == cut_where::request) {
            broken.bytes_written = cut_.after;
            co_return broken;
        }
        kept_response response;
        const exchange_outcome arrived = co_await to_->exchange(request, &response, deadline);
        response_size = response.size();
        broken.bytes_written = arrived.bytes_written;
        broken.request_written = true;
        if (cut_.where == cut_where::before_response) {
            co_return broken;
        }
        broken.head = arrived.head;
        broken.response_begun = true;
        const result<void> replayed = response.replay(sink, std::min(cut_.after, response.size()));
        if (replayed && cut_.after >= response.size()) {
            broken.error.reset();
        }
        co_return broken;
    }
    void close() noexcept override { to_->close(); }

    std::size_t request_size = 0;
    std::size_t response_size = 0;

private:
    std::shared_ptr<transport> to_;
    cut cut_;
    std::uint64_t posts_ = 0;
};

// One run with one cut.
class cut_run {
public:
    explicit cut_run(cut what) {
        service_options options;
        options.chunk_size = rows / jobs;
        const auto remote = std::make_shared<service>(options);
        network = std::make_shared<cutting_transport>(make_memory_transport(world.env, remote), what);
        client_options chosen;
        chosen.base_url = "https://service.test";
        chosen.api_key = secret::from_key(remote->api_key()).value();
        chosen.env = world.env;
        chosen.transport_override = network;
        std::optional<client> subject;
        subject.emplace(world.context.get_executor(), std::move(chosen));
        vector_source source(corpus(rows));
        memory_journal journal(std::make_shared<lifetime>());
        bulk_options bulk;
        bulk.model = "bge-small-v1.5";
        bulk.rows_per_job = rows / jobs;
        bulk.journal = &journal;
        report.emplace(world.run(subject->embed_corpus(source, sink, std::move(bulk))));
        broken = journal.broken;
        for (const auto& [number, batch] : journal.batches) {
            unanswered += batch.state == batch_state::unknown || batch.state == batch_state::intent ? 1 : 0;
        }
        subject.reset();
        world.run();
        created = remote->counters().jobs_created;
    }

    testing_support::simulation world;
    std::shared_ptr<cutting_transport> network;
    ledger_sink sink;
    std::optional<result<bulk_report>> report;
    std::vector<std::string> broken;
    std::uint64_t unanswered = 0;
    std::uint64_t created = 0;
};

void expect_complete(const cut_run& seen) {
    EXPECT_EQ((**seen.report).reason, stop_reason::complete) << (**seen.report).message;
    EXPECT_EQ(seen.created, jobs);
    EXPECT_EQ(seen.unanswered, 0U);
}

// Parked under its own name, and nothing else is.
void expect_parked(const cut_run& seen, bool exists) {
    const bulk_report& report = **seen.report;
    EXPECT_EQ(report.reason, stop_reason::parked_batches) << report.message;
    ASSERT_EQ(report.unknown.size(), 1U);
    EXPECT_FALSE(report.unknown[0].not_charged);
    EXPECT_EQ(report.unknown[0].rows.size(), rows / jobs);
    EXPECT_EQ(seen.sink.rows.size(), rows - rows / jobs);
    EXPECT_EQ(seen.created, exists ? jobs : jobs - 1);
    EXPECT_EQ(seen.unanswered, 1U);
}

void expect_truth(const cut_run& seen, const cut& what) {
    ASSERT_TRUE(*seen.report) << seen.report->error();
    EXPECT_EQ(seen.broken, std::vector<std::string>());
    EXPECT_EQ(seen.sink.broken, std::vector<std::string>());
    const bool answered = what.where == cut_where::response_body && what.after >= seen.network->response_size;
    const bool not_sent = what.where == cut_where::request && what.after == 0;
    const bool exists = what.where != cut_where::request;
    if (answered || not_sent || (**seen.report).reason == stop_reason::complete) {
        expect_complete(seen);
        EXPECT_TRUE(answered || !exists) << "a job whose response was lost cannot have given its rows";
    } else {
        expect_parked(seen, exists);
    }
}

TEST(CutAtEveryByte, OfARequest) {
    for (std::uint64_t post = 1; post <= jobs; ++post) {
        std::size_t size = 1;
        for (std::size_t after = 0; after <= size; ++after) {
            SCOPED_TRACE("POST " + std::to_string(post) + " cut after " + std::to_string(after));
            const cut what(post, cut_where::request, after);
            const cut_run seen(what);
            size = seen.network->request_size;
            ASSERT_GT(size, 100U);
            expect_truth(seen, what);
        }
    }
}

TEST(CutAtEveryByte, OfAResponse) {
    for (std::uint64_t post = 1; post <= jobs; ++post) {
        const cut lost(post, cut_where::before_response, 0);
        expect_truth(cut_run(lost), lost);
        std::size_t size = 1;
        for (std::size_t after = 0; after <= size; ++after) {
            SCOPED_TRACE("response to POST " + std::to_string(post) + " cut after " + std::to_string(after));
            const cut what(post, cut_where::response_body, after);
            const cut_run seen(what);
            size = seen.network->response_size;
            ASSERT_GT(size, 20U);
            expect_truth(seen, what);
        }
    }
}

}  // namespace
}  // namespace vembed::testing
