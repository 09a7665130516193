// What a run decides by beyond its budget: outages, streaks, the first job, its model, job ids, and the account's
// count.

#include <gtest/gtest.h>

#include "bulk/values/charge_evidence.hpp"
#include "bulk/values/first_job.hpp"
#include "bulk/values/job_registry.hpp"
#include "bulk/values/job_streak.hpp"
#include "bulk/values/run_model.hpp"
#include "bulk/values/submission_outage.hpp"

namespace vembed::bulk {
namespace {

using namespace std::chrono_literals;
using policy::unknown_verdict;

std::uint64_t no_randomness() {
    return 0;
}

TEST(SubmissionOutage, BeginsAfterThreeInARow) {
    submission_outage outage;
    const monotonic_time now(1h);
    EXPECT_EQ(outage.unanswered(submission_kind::regular, now, no_randomness), outage_verdict::go_on);
    EXPECT_EQ(outage.unanswered(submission_kind::regular, now, no_randomness), outage_verdict::go_on);
    EXPECT_TRUE(outage.answered());
    EXPECT_FALSE(outage.answered());
    for (const outage_verdict wanted : {outage_verdict::go_on, outage_verdict::go_on, outage_verdict::pause}) {
        EXPECT_FALSE(outage.under_way());
        EXPECT_EQ(outage.unanswered(submission_kind::regular, now, no_randomness), wanted);
    }
    EXPECT_TRUE(outage.under_way());
    EXPECT_GE(outage.next_trial_at(), now + 7s);
    EXPECT_LE(outage.next_trial_at(), now + 15s);
}

TEST(SubmissionOutage, GivesUpAfterTrialsThatTookLongerEachTime) {
    submission_outage outage;
    monotonic_time now(1h);
    for (int i = 0; i < 3; ++i) {
        outage.unanswered(submission_kind::regular, now, no_randomness);
    }
    monotonic_clock::duration last{0};
    std::uint32_t trials = 0;
    for (;;) {
        const auto pause = outage.next_trial_at() - now;
        EXPECT_GE(pause, last);
        EXPECT_LE(pause, 5min);
        last = pause;
        now = outage.next_trial_at();
        // What was under way when the outage was noticed moves nothing.
        EXPECT_EQ(outage.unanswered(submission_kind::regular, now, no_randomness), outage_verdict::go_on);
        EXPECT_EQ(outage.next_trial_at(), now);
        ++trials;
        if (outage.unanswered(submission_kind::trial, now, no_randomness) == outage_verdict::give_up) {
            break;
        }
    }
    EXPECT_EQ(trials, 6U);
    EXPECT_TRUE(outage.answered());
    EXPECT_FALSE(outage.under_way());
}

TEST(FirstJob, GoesAlone) {
    first_job first;
    EXPECT_FALSE(first.holds_others());
    EXPECT_EQ(first.batches_to_read(8), 1U);
    first.begin();
    EXPECT_TRUE(first.holds_others());
    EXPECT_TRUE(first.show());
    EXPECT_FALSE(first.show());
    first.begin();
    EXPECT_FALSE(first.holds_others());
    EXPECT_EQ(first.batches_to_read(8), 8U);
}

TEST(JobStreak, StopsOnceAfterTenBadJobsInARow) {
    job_streak streak;
    for (std::uint64_t i = 1; i < job_streak::bad_jobs_max; ++i) {
        EXPECT_EQ(streak.job_was_bad(), streak_verdict::go_on);
    }
    streak.job_stored();
    for (std::uint64_t i = 1; i < job_streak::bad_jobs_max; ++i) {
        EXPECT_EQ(streak.job_was_bad(), streak_verdict::go_on);
    }
    EXPECT_EQ(streak.job_was_bad(), streak_verdict::stop);
    EXPECT_EQ(streak.job_was_bad(), streak_verdict::go_on);  // It was said.
}

TEST(JobStreak, StopsAfterMoreThanTwentyRowsRefused) {
    job_streak streak;
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(streak.row_was_refused(), streak_verdict::go_on);
    }
    streak.job_accepted();
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(streak.row_was_refused(), streak_verdict::go_on);
    }
    EXPECT_EQ(streak.row_was_refused(), streak_verdict::stop);
}

TEST(JobStreak, HoldsSubmissionsWhileTheUndecidedWouldBeEnough) {
    class row {
    public:
        int bad;
        std::uint64_t suspects, settled;
        bool holds;
    };
    const row table[] = {
        {0, 0, 50, false}, {0, 1, 9, false}, {0, 1, 10, true}, {1, 0, 8, false},
        {1, 0, 9, true},   {4, 6, 0, true},  {4, 5, 0, false}, {10, 0, 0, true},
    };
    for (const row& r : table) {
        job_streak streak;
        for (int i = 0; i < r.bad; ++i) {
            streak.job_was_bad();
        }
        EXPECT_EQ(streak.holds_submissions(r.suspects, r.settled), r.holds)
            << r.bad << ' ' << r.suspects << ' ' << r.settled;
    }
}

TEST(RunModel, TakesRowsOfOneSpecificationOnly) {
    class row {
    public:
        std::string pinned, job;
        bool admitted;
        std::string spec_hash;
    };
    const row table[] = {
        {"", "", true, ""}, {"", "a", true, "a"}, {"a", "", true, "a"}, {"a", "a", true, "a"}, {"a", "b", false, "a"},
    };
    for (const row& r : table) {
        run_facts facts;
        facts.spec_hash = r.pinned;
        run_model model;
        model.adopt(facts);
        const auto refused = model.admit("j1", r.job, 4, false);
        EXPECT_EQ(!refused, r.admitted);
        EXPECT_EQ(model.spec_hash(), r.spec_hash);
        EXPECT_EQ(model.dimensions(), r.admitted ? 4U : 0U);
    }
}

TEST(RunModel, SaysWhatToDoAboutAnotherModel) {
    run_model model;
    EXPECT_FALSE(model.admit_cached(""));
    EXPECT_EQ(model.spec_hash(), "");
    EXPECT_FALSE(model.admit_cached("a"));
    EXPECT_FALSE(model.admit_cached("a"));
    const auto job = model.admit("j1", "b", 4, true);
    ASSERT_TRUE(job);
    EXPECT_EQ(job->kind, errc::model_changed);
    EXPECT_EQ(job->message,
              "the receipt of job j1 names the specification b, earlier rows of this run were made under a: the "
              "service has changed the model; start anew in another folder, without the cache or with another one");
    const auto cached = model.admit_cached("c");
    ASSERT_TRUE(cached);
    EXPECT_EQ(cached->kind, errc::model_changed);
    EXPECT_EQ(cached->message,
              "the cache holds rows made under the specification c, this run's are made under a: start anew in another "
              "folder, without the cache or with another one");
}

TEST(RunModel, HasOneNumberOfDimensions) {
    run_model model;
    model.expect(8);
    EXPECT_EQ(model.dimensions_expected(), 8U);
    EXPECT_FALSE(model.refuse_output(4));  // The catalog may be wrong.
    EXPECT_FALSE(model.admit("j1", "a", 4, false));
    EXPECT_FALSE(model.refuse_output(4));
    const auto other = model.refuse_output(5);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->kind, errc::protocol);
    EXPECT_EQ(other->message, "the job's output has 5 dimensions, but earlier ones had 4");
    model.expect(8);
    EXPECT_EQ(model.dimensions_expected(), 4U);
    run_facts facts;
    model.write_to(facts);
    EXPECT_EQ(facts.dimensions, 4U);
    EXPECT_EQ(facts.spec_hash, "a");
}

TEST(RunModel, TellsTheSizeOnceBothFiguresAreKnown) {
    run_model model;
    EXPECT_FALSE(model.size_is_due(std::nullopt, 4));
    EXPECT_FALSE(model.size_is_due(100, 0));
    EXPECT_TRUE(model.size_is_due(100, 4));
    EXPECT_FALSE(model.size_is_due(100, 4));
}

journalled_batch left_as(std::uint64_t number, batch_state state, const std::string& job_id) {
    journalled_batch left;
    left.batch = number;
    left.state = state;
    left.job_id = job_id;
    return left;
}

batch of_job(std::uint64_t number, const std::string& job_id) {
    batch item;
    item.number = number;
    item.job_id = job_id;
    return item;
}

std::vector<journal_change::action> actions_of(const std::vector<journal_change>& changes) {
    std::vector<journal_change::action> actions;
    for (const journal_change& change : changes) {
        actions.push_back(change.what);
    }
    return actions;
}

TEST(JobRegistry, KnowsTheBatchOfAJob) {
    job_registry jobs;
    jobs.accept("a", 1);
    EXPECT_TRUE(jobs.knows("a"));
    EXPECT_FALSE(jobs.knows("b"));
    EXPECT_EQ(jobs.find(of_job(1, "a")), jobs.first_of("a"));
    EXPECT_EQ(jobs.find(of_job(1, "b")), nullptr);
    EXPECT_EQ(jobs.find(of_job(2, "a")), nullptr);  // Of two batches with that id, this is not the one.
    EXPECT_EQ(jobs.first_of("a")->journalled, job_owner::standing::held);
    jobs.leaves_journal(of_job(1, "a"));
    jobs.end(of_job(1, "a"));
    EXPECT_EQ(jobs.first_of("a")->journalled, job_owner::standing::none);
    EXPECT_EQ(jobs.first_of("a")->reached, job_owner::stage::ended);
    jobs.end(of_job(1, ""));  // Not submitted: nothing to note.
    EXPECT_FALSE(jobs.is_disputed(of_job(1, "a")));
}

TEST(JobRegistry, KeepsBothBatchesOfOneIdOfAnEarlierProcess) {
    job_registry jobs;
    jobs.adopt(left_as(1, batch_state::done, "a"));
    jobs.adopt(left_as(2, batch_state::accepted, "a"));
    jobs.adopt(left_as(3, batch_state::accepted, "b"));
    EXPECT_TRUE(jobs.is_disputed(of_job(1, "a")));
    EXPECT_TRUE(jobs.is_disputed(of_job(2, "a")));
    EXPECT_FALSE(jobs.is_disputed(of_job(3, "b")));
    ASSERT_EQ(jobs.disputed_before().size(), 1U);
    EXPECT_EQ(jobs.find(of_job(1, "a"))->reached, job_owner::stage::stored);
    EXPECT_EQ(jobs.find(of_job(2, "a")), &jobs.disputed_before()[0].second);
    EXPECT_EQ(jobs.find(of_job(2, "a"))->reached, job_owner::stage::asked_for);
}

TEST(JobRegistry, TellsTheJournalOnlyWhatItDoesNotHave) {
    using action = journal_change::action;
    using standing = job_owner::standing;
    class row {
    public:
        standing before;
        bool corrected;
        std::vector<action> wanted;
    };
    const row table[] = {
        {standing::held, false, {action::complete}},
        {standing::held, true, {action::doubt, action::accept, action::complete}},
        {standing::doubted, false, {action::accept, action::complete}},
        {standing::doubted, true, {action::accept, action::complete}},
    };
    for (const row& r : table) {
        job_owner owner;
        owner.journalled = r.before;
        std::vector<journal_change> changes;
        owner.complete(of_job(1, "a"), r.corrected, changes);
        EXPECT_EQ(actions_of(changes), r.wanted);
        EXPECT_EQ(owner.journalled, standing::held);
    }
    job_owner unheld;
    std::vector<journal_change> changes;
    unheld.doubt(changes);
    EXPECT_TRUE(changes.empty());
}

bulk_options waiting(std::chrono::seconds arrival, std::chrono::seconds job) {
    bulk_options options;
    options.arrival_wait = arrival;
    options.job_timeout = job;
    options.sole_use = true;
    return options;
}

policy::account_count count_of(std::uint64_t chunks, const std::string& period = "p") {
    policy::account_count count;
    count.chunks = chunks;
    count.period = period;
    return count;
}

TEST(ChargeEvidence, LearnsFromTheFirstJobWhenChargesShow) {
    class row {
    public:
        std::optional<policy::account_count> counted;
        bool under_way;
        std::uint64_t charged;
        bool learned;
    };
    const row table[] = {
        {count_of(13), true, 3, true},  {count_of(13), false, 3, false},     {count_of(14), true, 3, false},
        {count_of(10), true, 0, false}, {count_of(13, "q"), true, 3, false}, {std::nullopt, true, 3, false},
        {count_of(9), true, 3, false},
    };
    for (const row& r : table) {
        charge_evidence evidence(waiting(120s, 600s));
        EXPECT_FALSE(evidence.wants_first_count());
        evidence.take_baseline(count_of(10), wall_time());
        EXPECT_TRUE(evidence.wants_first_count());
        evidence.first_job_seen(r.counted, r.under_way, r.charged);
        EXPECT_EQ(evidence.wants_first_count(), !r.learned);
        run_facts facts;
        evidence.write_to(facts);
        EXPECT_EQ(facts.charged_on_acceptance, r.learned);
    }
}

TEST(ChargeEvidence, WaitsForChargesThatMayBeLate) {
    class row {
    public:
        bool charged_on_acceptance, jobs_in_flight;
        std::chrono::seconds since;
        bool made;
    };
    const row table[] = {
        {true, true, 119s, false},  {true, true, 120s, true},    {false, false, 120s, false},
        {false, true, 900s, false}, {false, false, 599s, false}, {false, false, 600s, true},
    };
    for (const row& r : table) {
        run_facts facts;
        facts.charged_on_acceptance = r.charged_on_acceptance;
        charge_evidence evidence(waiting(120s, 600s));
        evidence.adopt(facts);
        const monotonic_time sent(1h);
        evidence.in_doubt_sent(sent);
        evidence.job_accepted(sent - 1min);
        EXPECT_EQ(evidence.charges_are_made(sent + r.since, r.jobs_in_flight), r.made) << r.since.count();
        EXPECT_FALSE(evidence.charges_are_made(sent + r.since, r.jobs_in_flight, sent + r.since));
    }
}

TEST(ChargeEvidence, SaysHowLongUntilItCanDecide) {
    const monotonic_time sent(1h);
    charge_evidence evidence(waiting(120s, 600s));
    EXPECT_FALSE(evidence.decidable_in(sent, false, 0ms));
    EXPECT_EQ(evidence.why_undecidable(), "it was not read before the run's first submission");
    evidence.take_baseline(count_of(10), wall_time());
    EXPECT_EQ(evidence.why_undecidable(), "");
    evidence.in_doubt_sent(sent);
    EXPECT_EQ(evidence.decidable_in(sent + 1s, false, 65s), 664s);
    EXPECT_EQ(evidence.decidable_in(sent + 1h, false, 65s), 0s);
    EXPECT_FALSE(evidence.decidable_in(sent, true, 65s));
    evidence.first_job_seen(count_of(12), true, 2);
    EXPECT_EQ(evidence.decidable_in(sent, true, 65s), 185s);
    evidence.job_came_to_nothing();
    EXPECT_FALSE(evidence.decidable_in(sent, false, 65s));
    EXPECT_NE(evidence.why_undecidable(), "");
}

TEST(ChargeEvidence, JudgesWhatAnEarlierProcessLeft) {
    class row {
    public:
        std::chrono::minutes since;
        batch_state other;
        std::uint64_t counted;
        unknown_verdict verdict;
    };
    const row table[] = {
        {20min, batch_state::unknown, 13, unknown_verdict::none_charged},
        {20min, batch_state::unknown, 17, unknown_verdict::all_charged},
        {20min, batch_state::unknown, 15, unknown_verdict::undecided},
        {20min, batch_state::accepted, 13, unknown_verdict::undecided},
        {10min, batch_state::unknown, 13, unknown_verdict::undecided},
    };
    for (const row& r : table) {
        prior_run left;
        left.chunks_charged = 3;
        for (const batch_state state : {batch_state::intent, r.other}) {
            left.batches.push_back(left_as(left.batches.size(), state, ""));
            left.batches.back().chunks = 2;
            left.batches.back().intended_at = wall_time(100h);
        }
        intent_times times;
        times.wall_now = wall_time(100h) + r.since;
        times.now = monotonic_time(1h);
        times.margin = 65s;
        charge_evidence evidence(waiting(120s, 600s));
        evidence.take_baseline(count_of(10), wall_time());
        EXPECT_EQ(evidence.judge_left(left, times, count_of(r.counted)), r.verdict);
        EXPECT_EQ(evidence.judge_left(left, times, std::nullopt), unknown_verdict::undecided);
    }
}

TEST(IntentTimes, AreNoLaterThanThisProcess) {
    intent_times times;
    times.wall_now = wall_time(100h);
    times.now = monotonic_time(1h);
    times.margin = 65s;
    const std::pair<wall_time, monotonic_time> table[] = {
        {wall_time(100h) - 10min, monotonic_time(1h) - 10min + 65s},
        {wall_time(100h) - 10s, monotonic_time(1h)},
        {wall_time(200h), monotonic_time(1h)},
        {wall_time(0h), monotonic_time(1h) - (100h - 65s)},
    };
    for (const auto& [intended, written] : table) {
        journalled_batch left;
        left.intended_at = intended;
        EXPECT_EQ(times.written_by(left), written);
    }
}

}  // namespace
}  // namespace vembed::bulk
