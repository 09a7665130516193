// A bulk run against a service that spoils one job's proof: from which level of verification on the run notices, and
// what is then left of that job. And services under other schemes, which are no failure at any level.

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/verify/schemes.hpp>

#include "support/corpora.hpp"
#include "support/mortal.hpp"
#include "support/scratch.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr std::uint64_t rows = 30;
constexpr std::uint64_t rows_per_job = 10;
constexpr std::uint64_t spoiled_job = 2;  // Its rows are 10 to 19. The first job shows what is normal.
constexpr std::size_t dimensions = 384;
constexpr std::size_t header_bytes = 128;

constexpr verify_level levels[] = {verify_level::none, verify_level::hash, verify_level::receipt,
                                   verify_level::offline};

std::string level_name(verify_level level) {
    static constexpr const char* names[] = {"none", "hash", "receipt", "offline"};
    return names[static_cast<std::size_t>(level)];
}

struct spoiled_case {
    proof_fault fault;
    verify_level noticed;              // From here on, where what is stored is spoiled…
    verify_level noticed_in_transfer;  // …and where it is spoiled on its way only.
    const char* says;
};

const spoiled_case cases[] = {
    {proof_fault::output_bit, verify_level::hash, verify_level::hash, "output_commitment"},
    {proof_fault::output_swapped, verify_level::hash, verify_level::hash, "output_commitment"},
    {proof_fault::output_short, verify_level::none, verify_level::none, "9 rows for a job of 10"},
    {proof_fault::output_nan, verify_level::none, verify_level::none, "not finite"},
    {proof_fault::output_zero, verify_level::none, verify_level::none, "all zero"},
    {proof_fault::commitment_bit, verify_level::hash, verify_level::hash, "output_commitment"},
    {proof_fault::results_of_another, verify_level::none, verify_level::none, "results are those of another job"},
    {proof_fault::range_gap, verify_level::hash, verify_level::hash, "chunk"},
    {proof_fault::range_overlap, verify_level::hash, verify_level::hash, "chunk"},
    {proof_fault::chunk_missing, verify_level::hash, verify_level::hash, "chunk"},
    {proof_fault::receipt_hash_bit, verify_level::receipt, verify_level::offline, "receipt"},
    {proof_fault::inputs_root_bit, verify_level::receipt, verify_level::offline, "receipt"},
    {proof_fault::outputs_root_bit, verify_level::receipt, verify_level::offline, "receipt"},
    {proof_fault::inputs_root_forged, verify_level::receipt, verify_level::offline, "receipt"},
    {proof_fault::outputs_root_forged, verify_level::receipt, verify_level::offline, "receipt"},
    {proof_fault::receipt_of_another, verify_level::receipt, verify_level::receipt, "receipt is that of job"},
    {proof_fault::receipt_job_forged, verify_level::receipt, verify_level::receipt, "receipt is that of job"},
    {proof_fault::receipt_id_forged, verify_level::receipt, verify_level::receipt, "receipt_id: "},
};

service_options service_spoiling(proof_fault fault, bool in_transfer) {
    service_options options;
    options.chunk_size = 5;
    options.spoiled.emplace_back(fault, spoiled_job, spoiled_job);
    options.spoiled_in_transfer = in_transfer;
    return options;
}

// One run into a folder, with a journal; a second process, ten minutes later, where the first one left a job.
class proof_run {
public:
    explicit proof_run(const service_options& options, verify_level level) : texts(corpus(rows)) {
        client_options keeping;
        keeping.pins_file = pins.file("pins.json");  // What the first process learned of the account the second knows.
        world w(options, 1, keeping);
        report.emplace(process_in(w, level));
        if (*report && !(*report)->jobs_left.empty()) {
            earlier = **report;
            accepted_after_that = journal.count(batch_state::accepted);
            for (auto& [number, batch] : journal.batches) {
                batch.intended_at -= std::chrono::minutes(10);
            }
            w.restart(keeping);
            report.emplace(process_in(w, level));
        }
        jobs_created = w.remote->counters().jobs_created;
    }

    [[nodiscard]] std::vector<float> stored() const {
        const std::string bytes = folder.read("embeddings.npy");
        std::vector<float> values((bytes.size() - std::min(bytes.size(), header_bytes)) / sizeof(float));
        std::memcpy(values.data(), bytes.data() + header_bytes, values.size() * sizeof(float));
        return values;
    }

    // Rows of [first, last) are what the model gives; the others are NaN.
    void expect_rows_but(std::uint64_t first, std::uint64_t last) const {
        const std::vector<float> values = stored();
        ASSERT_EQ(values.size(), rows * dimensions);
        const matrix truth = embedded(texts);
        for (std::uint64_t row = 0; row < rows; ++row) {
            const std::span<const float> one = std::span(values).subspan(row * dimensions, dimensions);
            if (row >= first && row < last) {
                EXPECT_TRUE(std::ranges::all_of(one, [](float value) { return std::isnan(value); })) << row;
            } else {
                EXPECT_TRUE(std::ranges::equal(one, std::span(truth.data() + row * dimensions, dimensions))) << row;
            }
        }
    }

    scratch_folder pins;
    scratch_folder folder;
    std::vector<std::string> texts;
    memory_journal journal{std::make_shared<lifetime>()};
    std::optional<bulk_report> earlier;  ///< Where that process left a job, and a later one has looked at it since.
    std::uint64_t accepted_after_that = 0;
    std::optional<result<bulk_report>> report;
    std::uint64_t jobs_created = 0;

private:
    result<bulk_report> process_in(world& w, verify_level level) {
        vector_source source(texts);
        npy_sink sink(folder.path());
        bulk_options bulk;
        bulk.model = "bge-small-v1.5";
        bulk.rows_per_job = rows_per_job;
        bulk.jobs_in_flight = 1;  // Jobs are numbered in the order of their rows.
        bulk.verify = level;
        bulk.journal = &journal;
        return w.run(w.subject->embed_corpus(source, sink, bulk));
    }
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

// The job stays in the journal, and nobody says that its rows have failed.
void expect_set_aside_first(const proof_run& run, const spoiled_case& c) {
    ASSERT_TRUE(run.earlier);
    EXPECT_EQ(run.earlier->reason, stop_reason::faulty_jobs);
    EXPECT_EQ(run.earlier->jobs_unverified, 0U);
    EXPECT_EQ(run.earlier->rows_failed, 0U);
    EXPECT_EQ(run.earlier->rows_done, rows - rows_per_job);
    ASSERT_EQ(run.earlier->jobs_left.size(), 1U);
    EXPECT_EQ(run.earlier->jobs_left.front().rows.front().first, rows_per_job);
    EXPECT_NE(run.earlier->jobs_left.front().reason.find(c.says), std::string::npos)
        << run.earlier->jobs_left.front().reason;
    EXPECT_EQ(run.accepted_after_that, 1U);
}

void expect_withheld(const proof_run& run, const spoiled_case& c) {
    expect_set_aside_first(run, c);
    ASSERT_TRUE(*run.report) << run.report->error();
    const bulk_report& report = **run.report;
    EXPECT_EQ(report.reason, stop_reason::complete);
    EXPECT_EQ(report.jobs_unverified, 1U);
    EXPECT_EQ(report.rows_failed, rows_per_job);
    EXPECT_EQ(report.rows_done, rows - rows_per_job);
    run.expect_rows_but(rows_per_job, 2 * rows_per_job);
    EXPECT_EQ(run.journal.count(batch_state::done), 2U);
    EXPECT_EQ(run.journal.count(batch_state::accepted), 0U);
    EXPECT_EQ(run.journal.failed.size(), rows_per_job);
    EXPECT_EQ(run.journal.broken, std::vector<std::string>());
    EXPECT_EQ(run.jobs_created, 3U) << "what is not what it was attested to be is not bought again by itself";
    const std::string failed = run.folder.read("failed.jsonl");
    EXPECT_EQ(count_of(failed, "\n"), rows_per_job);
    EXPECT_EQ(count_of(failed, "\"verification_failed\""), rows_per_job);
    EXPECT_EQ(count_of(failed, R"("job_id":")"), rows_per_job);
    EXPECT_GE(count_of(failed, c.says), rows_per_job) << failed.substr(0, failed.find('\n'));
    EXPECT_EQ(count_of(run.folder.read("receipts.jsonl"), "\n"), 2U);
}

void expect_done(const proof_run& run) {
    ASSERT_TRUE(*run.report) << run.report->error();
    EXPECT_EQ((*run.report)->reason, stop_reason::complete);
    EXPECT_EQ((*run.report)->jobs_unverified, 0U);
    EXPECT_EQ((*run.report)->rows_done, rows);
    EXPECT_EQ(run.folder.read("failed.jsonl"), "");
    EXPECT_EQ(run.journal.count(batch_state::done), 3U);
}

TEST(BulkProof, ASpoiledProofIsNoticedFromItsLevelOn) {
    for (const bool in_transfer : {false, true}) {
        for (const spoiled_case& c : cases) {
            for (const verify_level level : levels) {
                SCOPED_TRACE(std::string(to_string(c.fault)) + " at " + level_name(level) +
                             (in_transfer ? ", in transfer" : ""));
                const proof_run run(service_spoiling(c.fault, in_transfer), level);
                if (level >= (in_transfer ? c.noticed_in_transfer : c.noticed)) {
                    expect_withheld(run, c);
                } else {
                    expect_done(run);
                }
            }
        }
    }
}

TEST(BulkProof, EveryFaultHasItsCase) {
    for (const proof_fault fault : proof_faults) {
        const bool has_case = std::ranges::any_of(cases, [fault](const spoiled_case& c) { return c.fault == fault; });
        EXPECT_TRUE(has_case) << to_string(fault);
    }
}

TEST(BulkProof, AnotherSchemeIsNoFailureAtAnyLevel) {
    const struct {
        const char* scheme;
        commitment_encoding encoding;
    } schemes[] = {
        {"jcs/without-receipt_hash/leaf-00/node-01/rfc6962", commitment_encoding::sha256_twice},
        {"sorted-ascii/empty-receipt_hash/leaf-plain/node-plain/duplicate", commitment_encoding::sha256},
        {"as-sent/empty-receipt_hash/leaf-digest/node-hex/duplicate", commitment_encoding::sha256_twice},
        {"jcs/empty-receipt_hash/leaf-hex/node-hex/rfc6962", commitment_encoding::sha256},
        {"as-sent/without-receipt_hash/leaf-00-digest/node-plain/rfc6962", commitment_encoding::sha256},
    };
    for (const auto& one : schemes) {
        for (const verify_level level : levels) {
            SCOPED_TRACE(std::string(one.scheme) + " at " + level_name(level));
            service_options options;
            options.chunk_size = 5;
            options.scheme = receipt_scheme_named(one.scheme).value();
            options.commitment = one.encoding;
            const proof_run run(options, level);
            expect_done(run);
            run.expect_rows_but(0, 0);
        }
    }
}

}  // namespace
}  // namespace vembed::testing
