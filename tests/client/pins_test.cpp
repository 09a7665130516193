// What a client learns of an account's receipts, and the file that keeps it.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include <vembed/client/pins_file.hpp>

#include "support/corpora.hpp"
#include "support/scratch.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr const char* default_tree = "leaf-00/node-01/rfc6962";

service_options five_a_chunk() {
    service_options options;
    options.chunk_size = 5;
    return options;
}

service_options of_another_scheme() {
    service_options options = five_a_chunk();
    options.scheme = receipt_scheme_named("sorted-ascii/empty-receipt_hash/leaf-plain/node-plain/duplicate").value();
    return options;
}

client_options keeping(const std::string& pins_file, verify_level level = verify_level::offline) {
    client_options options;
    options.pins_file = pins_file;
    options.verify = level;
    return options;
}

bulk_report embed_rows(world& in, std::uint64_t rows, verify_level level, std::uint32_t rows_per_job = 10) {
    const std::vector<std::string> texts = corpus(rows);
    vector_source source(texts);
    matrix into;
    matrix_sink sink(into);
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = rows_per_job;
    options.verify = level;
    return in.run(in.subject->embed_corpus(source, sink, options)).value();
}

const check_count* find(const bulk_report& report, std::string_view name) {
    const auto found = std::ranges::find(report.checks, name, &check_count::name);
    return found == report.checks.end() ? nullptr : &*found;
}

account_pins kept_in(const scratch_folder& folder, const bulk_report& report, const world& in) {
    return read_pins_file(folder.file("pins.json")).value().of(pins_key(in.subject->base_url(), report.account_id));
}

TEST(OfflineRun, RecomputesEveryReceiptAndSaysOnWhatGround) {
    world in(five_a_chunk());
    const bulk_report report = embed_rows(in, 35, verify_level::offline);
    EXPECT_EQ(report.jobs, 4U);
    for (const char* name : {"receipt_form", "receipt_job", "receipt_id", "results_job", "ranges", "output_shape",
                             "output_commitment", "outputs_root", "inputs_root", "receipt_hash", "service_check"}) {
        const check_count* check = find(report, name);
        ASSERT_NE(check, nullptr) << name;
        EXPECT_EQ(check->verified, 4U) << name << ": " << check->reason;
        EXPECT_EQ(check->failed + check->not_checkable, 0U) << name;
    }
    EXPECT_EQ(find(report, "inputs_root")->basis, std::string("pinned:") + default_tree);
    EXPECT_EQ(find(report, "receipt_hash")->basis, "pinned:jcs|sorted-ascii/without-receipt_hash")
        << "what they write differently is in no receipt";
    EXPECT_EQ(find(report, "ranges")->basis, "specified");
    EXPECT_EQ(find(report, "origin"), nullptr);
    EXPECT_EQ(report.pins.candidates(pin_kind::inputs_root), std::vector<std::string>{default_tree});
}

TEST(OfflineRun, LesserLevelsSayOnlyWhatTheyChecked) {
    for (const verify_level level : {verify_level::none, verify_level::hash, verify_level::receipt}) {
        world in(five_a_chunk());
        const bulk_report report = embed_rows(in, 20, level);
        EXPECT_EQ(find(report, "output_commitment") != nullptr, level >= verify_level::hash);
        EXPECT_EQ(find(report, "service_check") != nullptr, level >= verify_level::receipt);
        EXPECT_EQ(find(report, "receipt_hash"), nullptr);
        EXPECT_EQ(report.checks.empty(), level == verify_level::none);
    }
}

TEST(OfflineRun, CountsAJobOnceHoweverOftenItWasLookedAt) {
    service_options options = five_a_chunk();
    options.spoiled.emplace_back(proof_fault::receipt_hash_bit, 2, 2);
    options.spoiled_in_transfer = true;
    world in(options);
    const bulk_report report = embed_rows(in, 40, verify_level::offline);
    EXPECT_EQ(report.jobs_unverified, 1U);
    const check_count* check = find(report, "receipt_hash");
    EXPECT_EQ(check->failed, 1U);
    EXPECT_EQ(check->verified, 3U);
    EXPECT_FALSE(check->reason.empty());
    EXPECT_EQ(find(report, "inputs_root")->verified, 4U);
    EXPECT_EQ(find(report, "service_check")->verified, 3U) << "what comes after a failure is not asked for";
}

TEST(OfflineEmbed, HandsOutItsChecks) {
    world in(five_a_chunk(), 1, keeping("", verify_level::offline));
    const auto embedded = in.run(in.subject->embed("bge-small-v1.5", corpus(12)));
    ASSERT_TRUE(embedded) << embedded.error();
    const offline_report& checks = embedded->jobs.front().checks;
    ASSERT_EQ(checks.checks.size(), std::size(offline_check_names));
    EXPECT_EQ(checks.find("inputs_root")->verdict, check_verdict::verified);
    EXPECT_EQ(checks.find("inputs_root")->basis, check_basis::assumed);
    EXPECT_EQ(checks.find("origin")->verdict, check_verdict::not_checkable);
}

TEST(Pins, OutliveTheClientAndTurnQuestionsIntoFailures) {
    const scratch_folder folder;
    {
        world first(five_a_chunk(), 1, keeping(folder.file("pins.json")));
        const bulk_report report = embed_rows(first, 35, verify_level::offline);
        EXPECT_EQ(kept_in(folder, report, first), report.pins);
    }
    world other(of_another_scheme(), 1, keeping(folder.file("pins.json")));
    const auto embedded = other.run(other.subject->embed("bge-small-v1.5", corpus(15)));
    ASSERT_FALSE(embedded);
    EXPECT_EQ(embedded.error().kind, errc::verification_failed);
    EXPECT_NE(embedded.error().message.find(default_tree), std::string::npos) << embedded.error();
}

TEST(Pins, WithoutThemAnotherSchemeIsLearnedInstead) {
    const scratch_folder folder;
    world other(of_another_scheme(), 1, keeping(folder.file("pins.json")));
    const bulk_report report = embed_rows(other, 35, verify_level::offline);
    EXPECT_EQ(report.jobs_unverified, 0U);
    EXPECT_EQ(find(report, "receipt_hash")->basis, "pinned:jcs|sorted-ascii/empty-receipt_hash");
    EXPECT_EQ(kept_in(folder, report, other), report.pins);
}

TEST(Pins, ThatCannotBeReadAreNotTakenForNone) {
    const scratch_folder folder;
    EXPECT_FALSE(read_pins_file(folder.file("pins.json"), true)) << "not there";
    EXPECT_EQ(read_pins_file(folder.file("pins.json")).value(), scheme_pins());
    folder.write("pins.json", "{\"vembed_pins\":1,\"accounts\":{}}\n");
    EXPECT_EQ(read_pins_file(folder.file("pins.json"), true).value(), scheme_pins()) << "as an editor leaves it";
    folder.write("pins.json", "{}");
    world in(five_a_chunk(), 1, keeping(folder.file("pins.json")));
    const auto embedded = in.run(in.subject->embed("bge-small-v1.5", corpus(3)));
    ASSERT_FALSE(embedded);
    EXPECT_EQ(embedded.error().kind, errc::invalid_argument);
    EXPECT_NE(embedded.error().message.find(folder.file("pins.json")), std::string::npos) << embedded.error();
    EXPECT_EQ(in.remote->counters().jobs_created, 0U);
}

TEST(Pins, ManyWhoKeepThemLoseNone) {
    const scratch_folder folder;
    const std::string path = folder.file("state/pins.json");
    const auto keep = [&path](int number) {
        account_pins pins;
        pins.set(pin_kind::receipt_hash, {"scheme " + std::to_string(number)});
        EXPECT_TRUE(add_to_pins_file(path, "account " + std::to_string(number), pins));
    };
    std::vector<std::jthread> all;
    for (int number = 0; number < 16; ++number) {
        all.emplace_back(keep, number);
    }
    all.clear();
    const scheme_pins pins = read_pins_file(path).value();
    for (int number = 0; number < 16; ++number) {
        EXPECT_TRUE(pins.of("account " + std::to_string(number)).pinned(pin_kind::receipt_hash)) << number;
    }
}

TEST(OfflineRun, OutputsAreHashedAsAWhole) {
    class whole_hashes final : public matrix_sink {
    public:
        explicit whole_hashes(matrix& into) : matrix_sink(into) {}
        result<void> write(const row_batch& rows) override {
            expected.push_back(to_hex(sha256_of(std::as_bytes(rows.values))));
            return matrix_sink::write(rows);
        }
        result<void> write_receipt(const job_evidence& proof) override {
            told.push_back(proof.output_sha256);
            return {};
        }
        std::vector<std::string> expected;
        std::vector<std::string> told;
    };
    const struct {
        verify_level level;
        std::uint32_t rows_per_job;
        bool hashed;
    } cases[] = {{verify_level::offline, 15, true},
                 {verify_level::receipt, 15, false},
                 {verify_level::hash, 5, true},
                 {verify_level::none, 5, false}};
    for (const auto& c : cases) {
        world in(five_a_chunk());
        const std::vector<std::string> texts = corpus(30);
        vector_source source(texts);
        matrix into;
        whole_hashes sink(into);
        bulk_options options;
        options.model = "bge-small-v1.5";
        options.rows_per_job = c.rows_per_job;
        options.jobs_in_flight = 1;
        options.verify = c.level;
        ASSERT_TRUE(in.run(in.subject->embed_corpus(source, sink, options)));
        EXPECT_EQ(sink.told, c.hashed ? sink.expected : std::vector<std::string>(sink.expected.size()));
    }
}

}  // namespace
}  // namespace vembed::testing
