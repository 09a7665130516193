// How long an accepted job is asked for: the table of faults, and the looks that follow.

#include <gtest/gtest.h>

#include "bulk/values/job_patience.hpp"

namespace vembed::bulk {
namespace {

using namespace std::chrono_literals;

error answered(errc kind, int status, std::string code = "", std::string body = "") {
    error f(kind, "as written");
    f.http_status = status;
    f.code = std::move(code);
    f.raw_body = std::move(body);
    return f;
}

class looks {
public:
    std::uint32_t count = 0;
    std::chrono::milliseconds took{0};
    job_reaction reaction = job_reaction::leave;

    looks() = default;
};

looks until_the_end(const error& why, look_stage stage, bool incomplete = false,
                    job_standing standing = job_standing::fresh) {
    job_patience patience(30s, standing);
    looks made;
    for (;;) {
        ++made.count;
        const next_look next =
            patience.after(why, stage, incomplete, monotonic_time() + made.took, made.count * 7919ULL);
        if (!next.after || made.count == 1000) {
            made.reaction = next.reaction;
            return made;
        }
        made.took += *next.after;
    }
}

TEST(JobPatience, TellsFaultsApart) {
    const auto settling = look_stage::settling;
    const auto fetching = look_stage::fetching;
    const std::tuple<error, look_stage, job_fault> table[] = {
        {answered(errc::not_found, 404, "not_found"), settling, job_fault::not_yet},
        {answered(errc::api, 404, "", "<html>"), settling, job_fault::not_yet},
        {answered(errc::protocol, 0, "", "<html>"), settling, job_fault::not_yet},
        {answered(errc::protocol, 0, "", " \n<html>"), fetching, job_fault::not_yet},
        {answered(errc::protocol, 0, "", "{}"), fetching, job_fault::contract},
        {answered(errc::protocol, 0), fetching, job_fault::contract},
        {answered(errc::api, 409, "not_settled"), fetching, job_fault::not_yet},
        {answered(errc::not_found, 0), fetching, job_fault::not_yet},
        {answered(errc::api, 500, "internal"), fetching, job_fault::contract},
        {answered(errc::api, 500, "internal"), settling, job_fault::not_yet},
        {answered(errc::api, 500, "", R"({"detail":"boom"})"), fetching, job_fault::contract},
        {answered(errc::api, 500, "", " [\"boom\"]"), fetching, job_fault::contract},
        {answered(errc::api, 500, "", "<html>"), fetching, job_fault::not_yet},
        {answered(errc::api, 500), fetching, job_fault::not_yet},
        {answered(errc::api, 500, "", R"({"detail":"boom"})"), settling, job_fault::passing},
        {answered(errc::api, 500), settling, job_fault::passing},
        {answered(errc::api, 502, "bad_gateway", R"({"error":"bad_gateway"})"), fetching, job_fault::passing},
        {answered(errc::api, 504, "", R"({"detail":"late"})"), fetching, job_fault::passing},
        {answered(errc::api, 502), fetching, job_fault::passing},
        {answered(errc::api, 408), fetching, job_fault::passing},
        {answered(errc::api, 410, "gone"), fetching, job_fault::contract},
        {answered(errc::api, 418), fetching, job_fault::not_yet},
        {answered(errc::invalid_argument, 0), fetching, job_fault::contract},
        {answered(errc::response_too_large, 200), fetching, job_fault::contract},
        {answered(errc::verification_failed, 0), fetching, job_fault::unproved},
        {answered(errc::network, 0), fetching, job_fault::passing},
        {answered(errc::service_busy, 503), settling, job_fault::passing},
        {answered(errc::unauthorized, 401), settling, job_fault::last_word},
        {answered(errc::cancelled, 0), settling, job_fault::last_word},
        {answered(errc::job_refunded, 0), settling, job_fault::last_word},
    };
    for (const auto& [why, stage, wanted] : table) {
        EXPECT_EQ(fault_of(why, stage, false), wanted) << why << ' ' << why.raw_body;
    }
    EXPECT_EQ(fault_of(answered(errc::verification_failed, 0), fetching, true), job_fault::not_yet);
}

TEST(JobPatience, AsksForHalfAMinuteForWhatMayYetBeKnown) {
    const looks made = until_the_end(answered(errc::not_found, 404, "not_found"), look_stage::settling);
    EXPECT_EQ(made.took, 30s);
    EXPECT_LE(made.count, 12U);
    EXPECT_EQ(made.reaction, job_reaction::set_aside);
}

TEST(JobPatience, OnlyTheServicesOwnWordLosesAJobAndOnlyAnOldOne) {
    const error gone = answered(errc::not_found, 404, "not_found");
    EXPECT_EQ(until_the_end(gone, look_stage::settling, false, job_standing::old).reaction, job_reaction::lost);
    const looks without_a_receipt = until_the_end(gone, look_stage::fetching, false, job_standing::old);
    EXPECT_EQ(without_a_receipt.reaction, job_reaction::set_aside) << "it settled: the service has that job";
    const error page = answered(errc::api, 404, "", "<html>");
    EXPECT_EQ(until_the_end(page, look_stage::settling, false, job_standing::old).reaction, job_reaction::set_aside);
    const error no_receipt = answered(errc::not_found, 0);
    EXPECT_EQ(until_the_end(no_receipt, look_stage::fetching, false, job_standing::old).reaction,
              job_reaction::set_aside);
}

TEST(JobPatience, LooksTwiceAtAFaultInACompleteResponse) {
    const looks made = until_the_end(answered(errc::protocol, 200), look_stage::fetching);
    EXPECT_EQ(made.count, 2U);
    EXPECT_EQ(made.reaction, job_reaction::set_aside);
    job_patience patience(30s, job_standing::fresh);
    std::uint32_t count = 0;
    std::optional<std::chrono::milliseconds> again(0ms);
    while (again) {
        error other = answered(errc::protocol, 200);
        other.message = std::to_string(++count);
        again = patience.after(other, look_stage::fetching, false, monotonic_time(), count).after;
    }
    EXPECT_EQ(count, 4U);
}

TEST(JobPatience, LooksLongerAtWhatFailsACheck) {
    const looks made = until_the_end(answered(errc::verification_failed, 0), look_stage::fetching);
    EXPECT_EQ(made.count, 4U);
    EXPECT_GE(made.took, 3s);
    EXPECT_EQ(made.reaction, job_reaction::set_aside);
    const looks incomplete = until_the_end(answered(errc::verification_failed, 0), look_stage::fetching, true);
    EXPECT_EQ(incomplete.took, 30s);
    EXPECT_EQ(incomplete.reaction, job_reaction::set_aside);
}

TEST(JobPatience, GivesPaidRowsUpOnlyWhereNoLaterLookCanBringThem) {
    for (const bool incomplete : {false, true}) {
        for (const job_standing standing : {job_standing::old, job_standing::unjournalled}) {
            const looks made =
                until_the_end(answered(errc::verification_failed, 0), look_stage::fetching, incomplete, standing);
            EXPECT_EQ(made.reaction, job_reaction::withhold);
        }
    }
    const error gone = answered(errc::not_found, 404, "not_found");
    const looks unknown = until_the_end(gone, look_stage::settling, false, job_standing::unjournalled);
    EXPECT_EQ(unknown.reaction, job_reaction::set_aside) << "404 says nothing in the process that has just bought it";
    const looks failed = until_the_end(answered(errc::job_failed, 0), look_stage::fetching);
    EXPECT_EQ(failed.reaction, job_reaction::fail_rows) << "the service's own word that it is over";
}

TEST(JobPatience, WaitsMinutesForWhatIsOnTheWay) {
    EXPECT_GE(until_the_end(answered(errc::network, 0), look_stage::settling).took, 5min);
    EXPECT_EQ(until_the_end(answered(errc::network, 0), look_stage::settling).reaction, job_reaction::leave);
}

}  // namespace
}  // namespace vembed::bulk
