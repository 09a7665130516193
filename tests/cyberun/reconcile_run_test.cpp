// What becomes of a run whose response was lost.

#include "cyberun/wire/reconcile_run.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/iso_time.hpp"

namespace vembed::cyberun {
namespace {

wall_time at(const std::string& time) {
    return text::parse_iso_time("2026-03-01T" + time + "Z").value();
}

task made(const std::string& id, const std::string& workflow, const std::string& time) {
    task one;
    one.id = id;
    one.workflow_id = workflow;
    if (!time.empty()) {
        one.created_at = "2026-03-01T" + time + "Z";
    }
    return one;
}

lost_run lost(const std::string& workflow, const std::string& from, const std::string& to) {
    lost_run one;
    one.workflow_id = workflow;
    one.sent_at = at(from);
    one.lost_at = at(to);
    return one;
}

TEST(cyberun_reconcile_run, exactly_one_task_that_fits_decides) {
    class row {
    public:
        std::string name;
        std::vector<task> tasks;
        bool complete = true;
        std::set<std::string> known;
        std::vector<lost_run> others;
        std::string found;
        std::size_t named = 0;
    };
    const task ours = made("a", "w", "12:00:30");
    const std::vector<row> rows{
        {"one", {ours}, true, {}, {}, "a", 1},
        {"none", {}, true, {}, {}, "", 0},
        {"earliest", {made("a", "w", "11:58:00")}, true, {}, {}, "a", 1},
        {"too early", {made("a", "w", "11:57:59")}, true, {}, {}, "", 0},
        {"latest", {made("a", "w", "12:03:00")}, true, {}, {}, "a", 1},
        {"too late", {made("a", "w", "12:03:01")}, true, {}, {}, "", 0},
        {"another workflow", {made("a", "v", "12:00:30")}, true, {}, {}, "", 0},
        {"two", {ours, made("b", "w", "12:00:31")}, true, {}, {}, "", 2},
        {"the same twice", {ours, ours}, true, {}, {}, "a", 1},
        {"two, one known", {ours, made("b", "w", "12:00:31")}, true, {"b"}, {}, "a", 1},
        {"known", {ours}, true, {"a"}, {}, "", 0},
        {"a part of the list", {ours}, false, {}, {}, "", 1},
        {"without time", {made("a", "w", "")}, true, {}, {}, "", 1},
        {"without workflow", {made("a", "", "12:00:30")}, true, {}, {}, "", 1},
        {"without id", {made("", "w", "12:00:30")}, true, {}, {}, "", 1},
        {"another lost run", {ours}, true, {}, {lost("w", "12:00:10", "12:00:20")}, "", 1},
        {"another of a workflow not known", {ours}, true, {}, {lost("", "12:00:10", "12:00:20")}, "", 1},
        {"another of another workflow", {ours}, true, {}, {lost("v", "12:00:10", "12:00:20")}, "a", 1},
        {"another near", {ours}, true, {}, {lost("w", "11:00:00", "11:56:00")}, "", 1},
        {"another long before", {ours}, true, {}, {lost("w", "11:00:00", "11:55:59")}, "a", 1},
        {"another long after", {ours}, true, {}, {lost("w", "12:05:01", "12:06:00")}, "a", 1},
    };
    for (const row& each : rows) {
        run_evidence seen;
        seen.tasks = each.tasks;
        seen.complete = each.complete;
        seen.known = each.known;
        seen.others = each.others;
        const run_verdict verdict = reconcile_run(lost("w", "12:00:00", "12:01:00"), seen);
        EXPECT_EQ(verdict.found, !each.found.empty()) << each.name;
        EXPECT_EQ(verdict.ids.size(), each.named) << each.name;
        EXPECT_EQ(verdict.reason.empty(), verdict.found) << each.name;
        EXPECT_TRUE(!verdict.found || verdict.ids.front() == each.found) << each.name;
    }
}

TEST(cyberun_reconcile_run, few_tasks_are_named) {
    run_evidence seen;
    seen.complete = true;
    for (int i = 0; i < 100; ++i) {
        seen.tasks.push_back(made("t" + std::to_string(i), "w", "12:00:30"));
    }
    EXPECT_EQ(reconcile_run(lost("w", "12:00:00", "12:01:00"), seen).ids.size(), 20u);
}

}  // namespace
}  // namespace vembed::cyberun
