// manifest.json: what is written is read back, and what is changed is noticed.

#include "folder/manifest.hpp"

#include <gtest/gtest.h>

#include <string>

#include <vembed/bulk/sink.hpp>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/verify/row_root.hpp>

#include "support/scratch.hpp"

namespace vembed::cli {
namespace {

using testing::scratch_folder;

constexpr std::uint64_t rows = 3;

/// A finished folder of three rows of two numbers.
void write_rows(const std::string& folder) {
    npy_sink sink(folder);
    row_batch batch;
    for (std::uint64_t i = 0; i < rows; ++i) {
        source_row row;
        row.text = "text " + std::to_string(i);
        ASSERT_TRUE(sink.declare_row(i, row));
        batch.indices.push_back(i);
    }
    const std::vector<float> values{1, 2, 3, 4, 5, 6};
    batch.dimensions = 2;
    batch.values = values;
    ASSERT_TRUE(sink.write(batch));
    ASSERT_TRUE(sink.finish(rows, 2));
}

bulk_report report_of_rows() {
    bulk_report report;
    report.rows_total = rows;
    report.rows_done = rows;
    report.dimensions = 2;
    return report;
}

digest expected_root() {
    row_root_builder root;
    for (std::uint64_t i = 0; i < rows; ++i) {
        const float values[] = {static_cast<float>(2 * i + 1), static_cast<float>(2 * i + 2)};
        root.add(sha256_of("text " + std::to_string(i)), sha256_of(std::as_bytes(std::span(values))));
    }
    return root.root();
}

folder::manifest read_back(const std::string& folder) {
    auto read = folder::read_manifest(folder);
    EXPECT_TRUE(read) << (read ? "" : read.error().describe());
    return read && *read ? **read : folder::manifest();
}

TEST(manifest, has_the_root_over_the_rows_instead_of_a_hash_of_their_file) {
    scratch_folder scratch;
    write_rows(scratch.path());
    ASSERT_TRUE(folder::write_manifest(scratch.path(), folder::run_description(), report_of_rows()));
    const folder::manifest read = read_back(scratch.path());
    ASSERT_TRUE(read.row_root);
    EXPECT_EQ(to_hex(read.row_root->root), to_hex(expected_root()));
    EXPECT_EQ(read.row_root->rows, rows);
    EXPECT_EQ(read.files.at("embeddings.npy").sha256, "");
    EXPECT_EQ(read.files.at("embeddings.npy").bytes, 128 + rows * 2 * sizeof(float));
    EXPECT_EQ(read.files.at("rows.sha256").bytes, rows * 32);
    EXPECT_EQ(read.files.at("texts.sha256").bytes, rows * 64);
    EXPECT_EQ(read.account_id, "");
}

TEST(manifest, of_a_folder_without_row_hashes_has_no_root) {
    scratch_folder scratch;
    write_rows(scratch.path());
    std::filesystem::remove(scratch.file("texts.sha256"));
    ASSERT_TRUE(folder::write_manifest(scratch.path(), folder::run_description(), report_of_rows()));
    const folder::manifest read = read_back(scratch.path());
    EXPECT_FALSE(read.row_root);
    EXPECT_EQ(read.files.at("embeddings.npy").sha256, to_hex(sha256_of(scratch.read("embeddings.npy"))));
}

TEST(manifest, of_an_unfinished_run_has_no_root) {
    scratch_folder scratch;
    write_rows(scratch.path());
    bulk_report report = report_of_rows();
    report.reason = stop_reason::quota;
    ASSERT_TRUE(folder::write_manifest(scratch.path(), folder::run_description(), report));
    EXPECT_FALSE(read_back(scratch.path()).row_root);
}

TEST(manifest, says_whose_receipts_the_folder_has_and_what_they_follow) {
    scratch_folder scratch;
    folder::run_description run;
    run.account_id = "acc \"1\"";
    run.pins.set(pin_kind::receipt_hash, {"jcs/without-receipt_hash"});
    run.pins.set(pin_kind::inputs_root, {"leaf-00/node-01/rfc6962", "leaf-00/node-01/duplicate"});
    ASSERT_TRUE(folder::write_manifest(scratch.path(), run, report_of_rows()));
    folder::manifest read = read_back(scratch.path());
    EXPECT_EQ(read.account_id, run.account_id);
    EXPECT_TRUE(read.pins == run.pins);
    EXPECT_NE(
        scratch.read("manifest.json").find(R"("pins":{"receipt_hash":["jcs/without-receipt_hash"],"inputs_root")"),
        std::string::npos);

    run.pins = account_pins();
    ASSERT_TRUE(folder::write_manifest(scratch.path(), run, report_of_rows()));
    read = read_back(scratch.path());
    EXPECT_EQ(read.account_id, run.account_id);
    EXPECT_TRUE(read.pins == run.pins);
}

TEST(manifest, an_account_that_could_not_be_read_back_is_not_written) {
    scratch_folder scratch;
    folder::run_description run;
    run.account_id = std::string(scheme_pins::name_bytes_max + 1, 'a');
    const auto written = folder::write_manifest(scratch.path(), run, report_of_rows());
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed::cli
