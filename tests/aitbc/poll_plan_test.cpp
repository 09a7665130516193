#include "aitbc/wire/poll_plan.hpp"

#include <gtest/gtest.h>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;
using step_kind = poll_step::kind;

constexpr monotonic_time start{1h};
const call_budget full(1000, 0);

job seen(std::string id, job_state state) {
    job one;
    one.id = std::move(id);
    one.state = state;
    one.state_text = std::string(to_string(state));
    return one;
}

job_page page_of(std::vector<job> jobs, bool more = false) {
    job_page page;
    page.jobs = std::move(jobs);
    page.more = more;
    return page;
}

TEST(job_watch, the_first_terminal_state_ends_the_wait) {
    using change = job_watch::change;
    job_watch watch;
    for (const auto& [state, wanted] :
         {std::pair(job_state::waiting, change::moved), std::pair(job_state::waiting, change::none),
          std::pair(job_state::unknown, change::moved), std::pair(job_state::running, change::moved),
          std::pair(job_state::waiting, change::moved), std::pair(job_state::expired, change::ended),
          std::pair(job_state::expired, change::none), std::pair(job_state::running, change::none),
          std::pair(job_state::completed, change::late_result)}) {
        EXPECT_EQ(watch.observe(seen("j", state)), wanted) << to_string(state);
    }
    EXPECT_EQ(watch.state(), job_state::expired);
}

TEST(poll_plan, one_job_is_asked_for_after_10_to_60_seconds) {
    poll_plan plan;
    EXPECT_EQ(plan.next(full).what, step_kind::idle);
    plan.watch("a", start);
    monotonic_time now = start;
    // What is read first is news; after it nothing changes for a while.
    for (const auto distance : {10'000ms, 10'000ms, 15'000ms, 22'500ms, 33'750ms}) {
        const poll_step step = plan.next(full);
        EXPECT_EQ(step.what, step_kind::job);
        EXPECT_EQ(step.id, "a");
        EXPECT_EQ(step.at, now + distance);
        now = step.at;
        EXPECT_FALSE(plan.job_read(seen("a", job_state::waiting), now));
    }
    for (int i = 0; i < 10; ++i) {
        now = plan.next(full).at;
        plan.job_read(seen("a", job_state::waiting), now);
    }
    EXPECT_EQ(plan.next(full).at, now + 60s);
    plan.job_read(seen("a", job_state::running), now);
    EXPECT_EQ(plan.next(full).at, now + 10s) << "a change begins anew";
    EXPECT_TRUE(plan.job_read(seen("a", job_state::completed), now));
    EXPECT_EQ(plan.next(full).what, step_kind::idle);
}

TEST(poll_plan, the_interval_follows_from_what_the_hour_has_left) {
    struct pace {
        std::uint64_t left;
        std::uint64_t to_come;
        std::chrono::milliseconds wanted;
    };
    for (const pace& p :
         {pace{1000, 0, 5s}, pace{720, 0, 5s}, pace{360, 0, 10s}, pace{360, 180, 20s}, pace{100, 0, 36s},
          pace{12, 0, 300s}, pace{1, 0, 300s}, pace{0, 0, 300s}, pace{50, 70, 300s}}) {
        poll_plan plan;
        plan.watch("a", start);
        plan.watch("b", start);
        const poll_step step = plan.next({p.left, p.to_come});
        EXPECT_EQ(step.what, step_kind::page);
        EXPECT_EQ(step.offset, 0u);
        EXPECT_EQ(step.at, start + p.wanted) << p.left;
    }
    poll_plan one;
    one.watch("a", start);
    EXPECT_EQ(one.next({100, 0}).at, start + 36s) << "one job has the same budget";
}

TEST(poll_plan, reads_pages_until_all_were_seen) {
    poll_plan plan;
    for (const char* id : {"a", "b", "c"}) {
        plan.watch(id, start);
    }
    monotonic_time now = start + 5s;
    EXPECT_TRUE(
        plan.page_read(page_of({seen("x", job_state::failed), seen("a", job_state::running)}, true), now).empty());
    poll_step step = plan.next(full);
    EXPECT_EQ(step.what, step_kind::page);
    EXPECT_EQ(step.offset, 2u);
    EXPECT_EQ(step.at, now) << "the next page is due at once";
    now += 1s;
    const auto ended =
        plan.page_read(page_of({seen("b", job_state::failed), seen("c", job_state::running)}, true), now);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].id, "b");
    step = plan.next(full);
    EXPECT_EQ(step.offset, 0u) << "all were seen, the rest of the list does not matter";
    EXPECT_EQ(step.at, now + 7200ms) << "a round takes two calls";
    EXPECT_EQ(plan.waiting(), 2u);
}

TEST(poll_plan, a_job_that_no_page_shows_is_asked_for_by_itself) {
    poll_plan plan;
    plan.watch("a", start);
    plan.watch("b", start);
    monotonic_time now = start + 5s;
    plan.page_read(page_of({seen("a", job_state::running)}), now);
    EXPECT_EQ(plan.next(full).what, step_kind::page) << "it may not be listed yet";
    now = start + 60s;
    plan.page_read(page_of({seen("a", job_state::running)}), now);
    const poll_step step = plan.next(full);
    EXPECT_EQ(step.what, step_kind::job);
    EXPECT_EQ(step.id, "b");
    EXPECT_EQ(step.at, now);
    EXPECT_FALSE(plan.job_read(seen("b", job_state::running), now));
    EXPECT_EQ(plan.next(full).what, step_kind::page);
    plan.page_read(page_of({seen("a", job_state::running)}), now + 100s);
    EXPECT_EQ(plan.next(full).id, "b");
    plan.forget("b");
    EXPECT_EQ(plan.next(full).id, "a");
    EXPECT_EQ(plan.waiting(), 1u);
}

TEST(poll_plan, an_endless_list_ends_and_a_failure_waits) {
    poll_plan plan;
    plan.watch("a", start);
    plan.watch("b", start);
    int pages = 0;
    do {
        plan.page_read(page_of({seen("x", job_state::running)}, true), start + 5s);
        ++pages;
    } while (plan.next(full).offset > 0 && pages < 1000);
    EXPECT_EQ(pages, 50);
    plan.not_read(start + 500s);
    EXPECT_EQ(plan.next(full).at, start + 505s);
}

}  // namespace
}  // namespace vembed::aitbc
