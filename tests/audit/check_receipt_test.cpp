#include <vembed/audit/check_receipt.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "audit/kept_folder.hpp"

namespace vembed::test {
namespace {

/// The first job of the folder, which has rows 0 and 1, in files of its own.
class one_job : public kept_folder {
public:
    one_job() {
        const std::string lines = read("receipts.jsonl");
        job_ = boost::json::parse(lines.substr(0, lines.find('\n'))).as_object();
        write("receipt.json", boost::json::serialize(job_.at("receipt")) + "\n");
        write("results.json", boost::json::serialize(job_.at("results")) + "\n");
        write_rows(read("embeddings.npy").substr(128, 2 * row_bytes));
    }

    void write_rows(const std::string& bytes) const {
        std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 384), }";
        head.resize(117, ' ');
        head += '\n';
        write("rows.npy", std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(head.size()) + '\0' + head + bytes);
    }

    /// The receipt as `vembed receipt get --json` prints it.
    [[nodiscard]] boost::json::object printed() const {
        boost::json::object out = job_.at("receipt").as_object();
        out["signed"] = false;
        out["type"] = "receipt";
        out["receipt_text"] = boost::json::serialize(job_.at("receipt"));
        return out;
    }

    [[nodiscard]] receipt_evidence everything() const {
        receipt_evidence have;
        have.results = read_results_file(file("results.json")).value();
        have.inputs.emplace();
        have.inputs->emplace_back("a \"quoted\" text");
        have.inputs->emplace_back("plain");
        have.npy_file = file("rows.npy");
        return have;
    }

    [[nodiscard]] result<receipt_report> check(const receipt_evidence& have) const {
        return check_receipt(read_receipt_file(file("receipt.json")).value(), have);
    }

    [[nodiscard]] errc error_of(const receipt_evidence& have) const {
        const auto report = check(have);
        return report ? throw std::runtime_error("there is a report") : report.error().kind;
    }

private:
    boost::json::object job_;
};

TEST(check_receipt, holds_the_receipt_against_all_that_is_given) {
    const one_job job;
    const receipt_report report = job.check(job.everything()).value();
    EXPECT_EQ(report.verdict(), check_verdict::verified) << report.checks.text();
    EXPECT_TRUE(report.requires_check("inputs_root"));
    EXPECT_TRUE(report.requires_check("output_commitment"));
    EXPECT_FALSE(report.requires_check("verification_attestation"));
    EXPECT_TRUE(report.summary().starts_with("verified, ")) << report.summary();
}

TEST(check_receipt, names_what_differs) {
    const one_job job;
    std::string rows = job.read("embeddings.npy").substr(128, 2 * row_bytes);
    rows[0] ^= 1;
    job.write_rows(rows);
    receipt_evidence have = job.everything();
    EXPECT_EQ(job.check(have).value().summary(), "could not be checked: output_commitment") << "no scheme is known";
    have.pins.set(pin_kind::output_commitment, {"sha256"});
    const receipt_report report = job.check(have).value();
    EXPECT_EQ(report.verdict(), check_verdict::failed);
    EXPECT_EQ(report.summary(), "failed: output_commitment");
}

TEST(check_receipt, without_results_tries_the_rows_as_one_chunk) {
    const one_job job;
    receipt_evidence have = job.everything();
    have.results.reset();
    const receipt_report report = job.check(have).value();
    EXPECT_EQ(report.verdict(), check_verdict::verified) << report.checks.text();
    EXPECT_EQ(report.checks.find("receipt_job")->verdict, check_verdict::not_checkable);
}

TEST(check_receipt, requires_what_is_named) {
    const one_job job;
    receipt_evidence have;
    EXPECT_EQ(job.check(have).value().verdict(), check_verdict::verified);
    have.required = {"outputs_root"};
    EXPECT_EQ(job.check(have).value().verdict(), check_verdict::not_checkable);
    EXPECT_EQ(job.check(have).value().summary(), "could not be checked: outputs_root");
    have.required = {"all"};
    EXPECT_FALSE(job.check(have).value().requires_check("origin"));
    EXPECT_TRUE(job.check(have).value().requires_check("ranges"));
}

TEST(check_receipt, reports_a_text_that_is_no_receipt) {
    EXPECT_EQ(check_receipt("no receipt", {}).value().summary(), "failed: receipt_form");
}

TEST(check_receipt, gives_the_errors_of_its_contract) {
    const one_job job;
    receipt_evidence unknown;
    unknown.required = {"no_such_check"};
    EXPECT_EQ(job.error_of(unknown), errc::invalid_argument);

    receipt_evidence too_few = job.everything();
    too_few.results.reset();
    too_few.inputs->pop_back();
    EXPECT_EQ(job.error_of(too_few), errc::invalid_argument);

    receipt_evidence missing = job.everything();
    missing.npy_file = job.file("nothing");
    EXPECT_EQ(job.error_of(missing), errc::io);
    missing.npy_file = job.file("receipt.json");
    EXPECT_EQ(job.error_of(missing), errc::bad_input);

    std::stop_source source;
    source.request_stop();
    receipt_evidence stopped = job.everything();
    stopped.stop = source.get_token();
    EXPECT_EQ(job.error_of(stopped), errc::cancelled);
}

TEST(read_receipt_file, takes_the_text_out_of_what_the_program_prints) {
    const one_job job;
    const std::string own = read_receipt_file(job.file("receipt.json")).value();
    EXPECT_EQ(own + "\n", job.read("receipt.json"));
    boost::json::object printed = job.printed();
    EXPECT_EQ(read_receipt_file(job.write("printed.json", boost::json::serialize(printed))).value(), own);

    printed["job_id"] = "another";
    EXPECT_EQ(read_receipt_file(job.write("printed.json", boost::json::serialize(printed))).error().kind,
              errc::verification_failed);
    printed["receipt_text"] = "no receipt";
    EXPECT_EQ(read_receipt_file(job.write("printed.json", boost::json::serialize(printed))).error().kind,
              errc::bad_input);
    EXPECT_EQ(read_receipt_file(job.file("nothing")).error().kind, errc::io);
}

TEST(read_results_file, tells_no_file_from_no_results) {
    const one_job job;
    EXPECT_EQ(read_results_file(job.file("results.json")).value().chunks.size(), 1U);
    EXPECT_EQ(read_results_file(job.file("nothing")).error().kind, errc::io);
    EXPECT_EQ(read_results_file(job.write("table", "chunk 0")).error().kind, errc::bad_input);
    EXPECT_EQ(read_results_file(job.write("other", "{}")).error().kind, errc::bad_input);
}

}  // namespace
}  // namespace vembed::test
