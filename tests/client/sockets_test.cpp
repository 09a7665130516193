// The client against the local service over real sockets, plain and TLS.

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/use_future.hpp>
#include <vembed/client/blocking_client.hpp>
#include <vembed/folder/npy_sink.hpp>

#include "front/running_front.hpp"
#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/scratch.hpp"
#include "support/tls_files.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

class front_world {
public:
    explicit front_world(service_options service = {}, bool tls = false) {
        service_front::front_options options;
        if (tls) {
            files.emplace();
            options.tls_certificate_file = files->certificate_file();
            options.tls_key_file = files->key_file();
        }
        front.emplace(std::move(service), std::move(options));
    }

    [[nodiscard]] client_options options() const {
        client_options made;
        made.base_url = front->front.base_url();
        made.api_key = secret::from_key(front->service->api_key()).value();
        if (files) {
            made.ca_file = files->authority_file();
        }
        return made;
    }

    std::optional<tls_files> files;
    std::optional<running_front> front;
};

// A client whose loop is a thread of its own.
class loop_client {
public:
    explicit loop_client(client_options options) : subject(std::in_place, context_.get_executor(), std::move(options)) {
        thread_ = std::thread([this] { context_.run(); });
    }
    ~loop_client() {
        subject.reset();
        work_.reset();
        thread_.join();
    }

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    std::thread thread_;

public:
    std::optional<client> subject;
};

// Rows that come one at a time.
class coming_rows final : public async_row_source {
public:
    explicit coming_rows(std::uint64_t rows) : rows_(rows) {}

    asio::awaitable<result<std::optional<source_row>>> next() override {
        std::optional<source_row> row;
        if (next_ < rows_) {
            row.emplace();
            row->text = corpus_text(next_++);
        }
        co_return row;
    }

private:
    std::uint64_t rows_;
    std::uint64_t next_ = 0;
};

class sockets : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PlainAndTls, sockets, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "tls" : "plain"; });

TEST_P(sockets, EveryOperationOfTheBlockingClient) {
    front_world w({}, GetParam());
    blocking_client c(w.options());
    EXPECT_EQ(c.base_url(), w.front->front.base_url());
    const auto e = c.embed(small_model, corpus(1'234));
    ASSERT_TRUE(e) << e.error();
    EXPECT_EQ(e->rows, embedded(corpus(1'234)));
    const auto submitted = c.submit_job(job_request::for_model(small_model, corpus(7)));
    ASSERT_TRUE(submitted) << submitted.error();
    EXPECT_TRUE(c.get_job(submitted->id));
    EXPECT_TRUE(c.wait_job(submitted->id, 1s));
    const auto settled = c.settle_job(submitted->id);
    ASSERT_TRUE(settled) << settled.error();
    const auto results = c.get_job_results(settled->id);
    ASSERT_TRUE(results) << results.error();
    const auto output = c.get_job_output(settled->id, 7);
    ASSERT_TRUE(output) << output.error();
    EXPECT_EQ(output->rows, embedded(corpus(7)));
    const auto proof = c.get_receipt(settled->receipt_id.value());
    ASSERT_TRUE(proof) << proof.error();
    EXPECT_EQ(proof->job_id, settled->id);
    EXPECT_TRUE(c.verify_receipt(proof->receipt_id));
    EXPECT_TRUE(c.verify_outputs(job_request::for_model(small_model, corpus(7)),
                                 results->chunks.at(0).output_commitment.value()));
    EXPECT_FALSE(c.verify_outputs(job_request::for_model(small_model, corpus(7)), std::string(64, '0')));
    EXPECT_TRUE(c.verify_outputs(small_model, corpus(7), output->rows));
    EXPECT_FALSE(c.verify_outputs(job_request::for_model(small_model, corpus(7)), matrix(2 * output->rows)));
    EXPECT_EQ(c.get_models().value().size(), 4U);
    EXPECT_FALSE(c.get_account().value().account_id.empty());
    EXPECT_TRUE(c.get_health().value().ok);
    EXPECT_EQ(c.raw(http_method::get, "/models").value().status, 200);
    const auto rotated = c.rotate_key();
    ASSERT_TRUE(rotated) << rotated.error();
    EXPECT_TRUE(c.revoke_key(rotated->key_id));
    vector_source source(corpus(333));
    matrix rows;
    matrix_sink sink(rows);
    bulk_options bulk;
    bulk.model = small_model;
    bulk.rows_per_job = 20;
    const auto report = c.embed_corpus(source, sink, bulk);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(rows, embedded(corpus(333)));
    coming_rows coming(21);
    matrix few;
    matrix_sink sink_of_few(few);
    const auto last = c.embed_corpus(coming, sink_of_few, bulk);
    ASSERT_TRUE(last) << last.error();
    EXPECT_EQ(few, embedded(corpus(21)));
    EXPECT_EQ(c.get_job("nothing").error().kind, errc::not_found);
}

TEST_P(sockets, ABlockingClientCanBeMoved) {
    front_world w({}, GetParam());
    blocking_client first(w.options());
    blocking_client second(std::move(first));
    EXPECT_TRUE(second.get_health());
    second = blocking_client(w.options());
    EXPECT_TRUE(second.get_health());
}

TEST(SocketsTls, TheAuthorityMayComeFromTheEnvironment) {
    front_world w({}, true);
    client_options options = w.options();
    options.ca_file.clear();
    options.tries_max = 1;
    {
        blocking_client c(options);
        const auto refused = c.get_health();
        ASSERT_FALSE(refused) << "an authority that nobody trusts";
        EXPECT_EQ(refused.error().kind, errc::network);
    }
    ::setenv("CYBERIAN_CA_FILE", w.files->authority_file().c_str(), 1);
    {
        blocking_client c(options);
        const auto health = c.get_health();
        EXPECT_TRUE(health) << health.error();
    }
    ::unsetenv("CYBERIAN_CA_FILE");
}

TEST_P(sockets, DroppedConnectionsCostNoRowThatSettled) {
    service_options service;
    service.seed = 5;
    service.chunk_size = 10;
    service.faults.drop = 0.05;
    service.faults.truncate = 0.05;
    front_world w(service, GetParam());
    blocking_client c(w.options());
    for (const unknown_policy policy : {unknown_policy::park, unknown_policy::resubmit}) {
        vector_source source(corpus(1'500));
        ledger_sink sink;
        bulk_options bulk;
        bulk.model = small_model;
        bulk.rows_per_job = 20;
        bulk.on_unknown = policy;
        bulk.max_extra_chunks = 1'000;
        const auto report = c.embed_corpus(source, sink, bulk);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(sink.broken, std::vector<std::string>());
        const matrix truth = embedded(corpus(1'500));
        for (const auto& [index, row] : sink.rows) {
            ASSERT_TRUE(std::equal(row.begin(), row.end(), truth.data() + index * 384)) << "row " << index;
        }
        std::size_t parked = 0;
        for (const unknown_batch& batch : report->unknown) {
            parked += batch.resubmitted ? 0 : batch.rows.size();
        }
        EXPECT_EQ(sink.rows.size() + sink.failed.size() + parked, 1'500U) << report->message;
        if (policy == unknown_policy::resubmit) {
            EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
        }
    }
}

TEST_P(sockets, AThousandSmallCallsAtOnce) {
    front_world w({}, GetParam());
    client_options options = w.options();
    options.connections_max = 64;
    loop_client c(options);
    std::vector<std::future<result<embeddings>>> calls;
    for (std::size_t i = 0; i < 1'000; ++i) {
        calls.push_back(
            c.subject->embed(job_request::for_model(small_model, {corpus_text(i)})).start(asio::use_future));
    }
    const matrix truth = embedded(corpus(1'000));
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const auto e = calls[i].get();
        ASSERT_TRUE(e) << i << ": " << e.error();
        ASSERT_EQ(e->rows.row(0), truth.row(static_cast<Eigen::Index>(i))) << i;
    }
    EXPECT_EQ(w.front->counters().jobs_created, 1'000U);
}

TEST_P(sockets, AStopTokenOfAnotherThread) {
    service_options service;
    service.settle_delay_ms = 600'000;
    front_world w(service, GetParam());
    loop_client c(w.options());
    for (int round = 0; round < 30; ++round) {
        std::stop_source stop;
        call_options call;
        call.stop = stop.get_token();
        auto future = c.subject->embed(job_request::for_model(small_model, corpus(3)), call).start(asio::use_future);
        const std::uint64_t before = w.front->counters().jobs_created;
        for (int looks = 0; looks < round * 3 && w.front->counters().jobs_created == before; ++looks) {
            std::this_thread::yield();
        }
        stop.request_stop();
        const auto e = future.get();
        ASSERT_FALSE(e);
        EXPECT_TRUE(e.error().kind == errc::cancelled || e.error().kind == errc::outcome_unknown) << e.error();
    }
}

TEST_P(sockets, AClientThatGoesCancelsWhatIsUnderWay) {
    service_options service;
    service.settle_delay_ms = 600'000;
    front_world w(service, GetParam());
    std::vector<std::future<result<embeddings>>> calls;
    {
        loop_client c(w.options());
        for (std::size_t i = 0; i < 50; ++i) {
            calls.push_back(
                c.subject->embed(job_request::for_model(small_model, {corpus_text(i)})).start(asio::use_future));
        }
        while (w.front->counters().jobs_created < 10) {
            std::this_thread::yield();
        }
    }
    for (auto& call : calls) {
        const auto e = call.get();
        ASSERT_FALSE(e);
        EXPECT_TRUE(e.error().kind == errc::cancelled || e.error().kind == errc::outcome_unknown) << e.error();
    }
}

TEST_P(sockets, ABulkRunWithJournalAndFilesOnTheWorkerThread) {
    front_world w({}, GetParam());
    scratch_folder folder;
    blocking_client c(w.options());
    auto journal = make_sqlite_journal(folder.file("journal.sqlite"));
    vector_source source(corpus(600));
    npy_sink sink(folder.path());
    std::stop_source stop;
    bulk_options bulk;
    bulk.model = small_model;
    bulk.rows_per_job = 20;
    bulk.jobs_in_flight = 16;
    bulk.journal = journal.get();
    bulk.progress_interval = 10ms;
    std::uint64_t last = 0;
    bulk.on_progress = [&](const progress& p) {
        EXPECT_GE(p.rows_done, last);
        last = p.rows_done;
    };
    const auto report = c.embed_corpus(source, sink, bulk);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(last, 600U);
    const std::string npy = folder.read("embeddings.npy");
    const matrix truth = embedded(corpus(600));
    const std::size_t bytes = static_cast<std::size_t>(truth.size()) * sizeof(float);
    ASSERT_EQ(npy.size(), 128 + bytes);
    EXPECT_EQ(std::memcmp(npy.data() + 128, truth.data(), bytes), 0);
}

}  // namespace
}  // namespace vembed::testing
