#include <vembed/audit/verify_folder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "audit/kept_folder.hpp"

namespace vembed::test {
namespace {

/// Stands for a blocking client of the folder's service.
class fake_client {
public:
    std::vector<receipt> has;
    result<receipt_verification> answer = verification(true);
    std::string address = kept_service;
    int calls = 0;

    static receipt_verification verification(bool valid) {
        receipt_verification out;
        out.valid = valid;
        return out;
    }

    [[nodiscard]] std::string base_url() const { return address; }

    result<receipt> get_receipt(const std::string& id) {
        ++calls;
        const auto found = std::ranges::find(has, id, &receipt::receipt_id);
        return found == has.end() ? result<receipt>(error(errc::not_found, "no such receipt")) : *found;
    }

    result<receipt_verification> verify_receipt(const std::string& /*id*/) {
        ++calls;
        return answer;
    }
};

/// The receipts that the folder has.
std::vector<receipt> receipts_in(const kept_folder& folder) {
    fake_client none;
    verify_folder_options options;
    options.service = receipts_of(none);
    return verify_folder(folder.path(), options).value().receipts;
}

folder_report asked(const kept_folder& folder, fake_client& client) {
    verify_folder_options options;
    options.service = receipts_of(client);
    return verify_folder(folder.path(), options).value();
}

errc error_of(const std::string& folder, const verify_folder_options& options = {}) {
    const auto report = verify_folder(folder, options);
    return report ? throw std::runtime_error("there is a report") : report.error().kind;
}

TEST(verify_folder, describes_a_finished_folder) {
    const kept_folder folder;
    const folder_report report = verify_folder(folder.path()).value();
    EXPECT_EQ(report.judgement.verdict, check_verdict::verified) << report.text();
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.folder, folder.path());
    EXPECT_EQ(report.rows, 9U);
    EXPECT_EQ(report.dimensions, 384U);
    EXPECT_EQ(report.jobs, 4U);
    EXPECT_EQ(report.chunks, 4U);
    EXPECT_EQ(report.rows_failed, 1U);
    EXPECT_EQ(report.rows_in_receipts, 8U);
    EXPECT_EQ(report.recorded.value().service, kept_service);
    EXPECT_EQ(report.recorded.value().account_id, kept_account);
    EXPECT_EQ(report.recorded.value().model, "bge-small-v1.5");
    EXPECT_EQ(report.pins_from, pins_origin::manifest);
    EXPECT_EQ(report.learnable_account().value(), pins_key(kept_service, kept_account));
    EXPECT_EQ(report.find("row_hashes")->verified, 9U);
    EXPECT_EQ(report.find("no_such_check"), nullptr);
    EXPECT_EQ(report.checks.back().name, "origin");
    EXPECT_TRUE(report.receipts.empty()) << "no service was asked";
    EXPECT_TRUE(report.service_asked.empty());
    EXPECT_TRUE(report.text().ends_with(std::string(origin_line) + "\n"));
}

TEST(verify_folder, names_the_row_that_changed_and_teaches_nothing) {
    const kept_folder folder;
    folder.change_row(3);
    const folder_report report = verify_folder(folder.path()).value();
    EXPECT_EQ(report.judgement.verdict, check_verdict::failed);
    EXPECT_EQ(report.judgement.failed, (std::vector<std::string>{"row_hashes", "output_commitment"}));
    const check_finding& found = report.find("row_hashes")->findings.at(0);
    EXPECT_EQ(found.row, 3U);
    EXPECT_EQ(found.row_id, "4");
    EXPECT_EQ(report.learnable_account().error().kind, errc::verification_failed);
}

TEST(verify_folder, leaves_out_the_rows_hashes) {
    const kept_folder folder;
    verify_folder_options options;
    options.row_hashes = false;
    const folder_report report = verify_folder(folder.path(), options).value();
    EXPECT_EQ(report.judgement.verdict, check_verdict::verified);
    EXPECT_EQ(report.find("row_hashes")->verdict(), check_verdict::not_checkable);
}

TEST(verify_folder, says_that_the_run_is_unfinished) {
    const kept_folder folder(kept_unfinished);
    const folder_report report = verify_folder(folder.path()).value();
    EXPECT_FALSE(report.complete);
    EXPECT_NE(report.judgement.verdict, check_verdict::failed) << report.text();
    EXPECT_NE(report.text().find("an unfinished run"), std::string::npos);
}

TEST(verify_folder, without_a_manifest_no_account_is_known) {
    const kept_folder folder;
    std::filesystem::remove(folder.file("manifest.json"));
    const folder_report report = verify_folder(folder.path()).value();
    EXPECT_FALSE(report.recorded);
    EXPECT_EQ(report.judgement.missing, (std::vector<std::string>{"shape", "files"}));
    EXPECT_EQ(report.learnable_account().error().kind, errc::bad_input);
}

TEST(verify_folder, requires_what_is_asked_for) {
    const kept_folder folder;
    verify_folder_options options;
    options.required = {"job_outputs"};
    const folder_report report = verify_folder(folder.path(), options).value();
    EXPECT_EQ(report.judgement.verdict, check_verdict::not_checkable);
    EXPECT_EQ(report.judgement.missing, std::vector<std::string>{"job_outputs"});
    options.required = {"all"};
    EXPECT_FALSE(verify_folder(folder.path(), options).value().find("origin")->required);
}

TEST(verify_folder, holds_receipts_against_what_is_known_of_the_account) {
    const kept_folder folder;
    const account_pins learned = verify_folder(folder.path()).value().pins;
    verify_folder_options options;
    options.known_from = "my pins";
    ASSERT_TRUE(options.known.set(pins_key(kept_service, kept_account), learned));
    const folder_report report = verify_folder(folder.path(), options).value();
    EXPECT_EQ(report.judgement.verdict, check_verdict::verified);
    EXPECT_EQ(report.pins_from, pins_origin::known);
    EXPECT_NE(report.text().find("as known before: my pins."), std::string::npos);

    account_pins others = learned;
    others.set(pin_kind::receipt_hash, {"jcs/empty-receipt_hash"});
    ASSERT_TRUE(options.known.set(pins_key(kept_service, kept_account), others));
    EXPECT_EQ(verify_folder(folder.path(), options).value().judgement.failed, std::vector<std::string>{"receipt_hash"});
}

TEST(verify_folder, asks_the_service_about_each_receipt) {
    const kept_folder folder;
    fake_client client;
    client.has = receipts_in(folder);
    ASSERT_EQ(client.has.size(), 4U);
    const folder_report report = asked(folder, client);
    EXPECT_EQ(report.judgement.verdict, check_verdict::verified);
    EXPECT_EQ(report.find(online_check)->verified, 4U);
    EXPECT_EQ(report.service_asked, kept_service);
    EXPECT_FALSE(report.asking_ended_by);
    EXPECT_EQ(client.calls, 8);
}

TEST(verify_folder, a_receipt_that_the_service_has_otherwise_failed) {
    const kept_folder folder;
    fake_client client;
    client.has = receipts_in(folder);
    client.has.at(1).outputs_root = "another";
    const folder_report report = asked(folder, client);
    EXPECT_EQ(report.judgement.failed, std::vector<std::string>{std::string(online_check)});
    const check_finding& found = report.find(online_check)->findings.at(0);
    EXPECT_EQ(found.receipt_id, client.has.at(1).receipt_id);
    EXPECT_NE(found.what.find("differs in outputs_root"), std::string::npos);
}

TEST(verify_folder, a_receipt_that_the_service_calls_invalid_failed) {
    const kept_folder folder;
    fake_client client;
    client.has = receipts_in(folder);
    for (const auto& answer : {result<receipt_verification>(fake_client::verification(false)),
                               result<receipt_verification>(error(errc::verification_failed, "no"))}) {
        client.answer = answer;
        EXPECT_EQ(asked(folder, client).find(online_check)->failed, 4U);
    }
}

TEST(verify_folder, what_the_service_does_not_have_is_not_checkable) {
    const kept_folder folder;
    fake_client client;
    const folder_report report = asked(folder, client);
    EXPECT_EQ(report.judgement.missing, std::vector<std::string>{std::string(online_check)});
    EXPECT_FALSE(report.asking_ended_by);
}

TEST(verify_folder, asks_no_further_if_the_service_cannot_answer) {
    const kept_folder folder;
    fake_client client;
    client.has = receipts_in(folder);
    client.answer = error(errc::unauthorized, "no such key");
    const folder_report report = asked(folder, client);
    EXPECT_EQ(report.asking_ended_by.value().kind, errc::unauthorized);
    EXPECT_EQ(report.find(online_check)->not_checkable, 4U);
    EXPECT_EQ(client.calls, 2);
}

TEST(verify_folder, lets_exceptions_of_the_service_pass) {
    const kept_folder folder;
    fake_client client;
    verify_folder_options options;
    options.service = receipts_of(client);
    options.service->get_receipt = [](const std::string&) -> result<receipt> { throw std::runtime_error("mine"); };
    EXPECT_THROW(static_cast<void>(verify_folder(folder.path(), options)), std::runtime_error);
}

TEST(verify_folder, gives_the_errors_of_its_contract) {
    const kept_folder folder;
    EXPECT_EQ(error_of(folder.file("nothing")), errc::io);

    verify_folder_options unknown;
    unknown.required = {"no_such_check"};
    EXPECT_EQ(error_of(folder.path(), unknown), errc::invalid_argument);
    verify_folder_options offline;
    offline.required = {std::string(online_check)};
    EXPECT_EQ(error_of(folder.path(), offline), errc::invalid_argument);

    fake_client other;
    other.address = "https://other.example.org";
    verify_folder_options elsewhere;
    elsewhere.service = receipts_of(other);
    EXPECT_EQ(error_of(folder.path(), elsewhere), errc::invalid_argument);
    EXPECT_EQ(other.calls, 0);

    std::stop_source source;
    source.request_stop();
    verify_folder_options stopped;
    stopped.stop = source.get_token();
    EXPECT_EQ(error_of(folder.path(), stopped), errc::cancelled);
}

}  // namespace
}  // namespace vembed::test
