// A folder belongs to a run from its first submission on: until then a run of another service or model takes it over.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/journal/journal.hpp>

#include "folder/run_binding.hpp"
#include "journal/journal_aids.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using testing::scratch_folder;
using testing::some_identity;

run_identity of_another(std::string run_identity::*field) {
    run_identity other = some_identity();
    other.*field = "another";
    return other;
}

TEST(JournalBinding, AStartThatBoughtNothingBindsNothing) {
    for (const auto field : {&run_identity::service, &run_identity::model, &run_identity::spec_sha256}) {
        const scratch_folder scratch;
        const auto path = scratch.file("j");
        {
            const auto journal = make_sqlite_journal(path);
            ASSERT_TRUE(journal->open(some_identity()));
            ASSERT_TRUE(journal->intend(0, {{0, 10}}, 1));
            ASSERT_TRUE(journal->forget(0));  // Refused: it had no effect.
            ASSERT_TRUE(journal->fail_row(3));
            run_facts facts;
            facts.rows_per_chunk = 50;
            facts.baseline.emplace().period = "2026-11";
            ASSERT_TRUE(journal->remember(facts));
        }
        {
            const auto journal = make_sqlite_journal(path);
            std::uint64_t told = 0;
            prior_visitor visitor;
            visitor.failed = [&told](std::uint64_t, std::uint64_t) -> result<void> {
                ++told;
                return {};
            };
            const auto prior = journal->open(of_another(field), visitor);
            ASSERT_TRUE(prior) << prior.error();
            EXPECT_EQ(told, 0U) << "what the other refused need not fail here";
            EXPECT_EQ(prior->rows_failed, 0U);
            EXPECT_EQ(prior->facts, run_facts());
            EXPECT_EQ(prior->next_batch, 1U);
            ASSERT_TRUE(journal->intend(1, {{0, 10}}, 1));
            ASSERT_TRUE(journal->accept(1, "job_1", 1));
        }
        const auto read = read_journal(path);
        ASSERT_TRUE(read) << read.error();
        EXPECT_EQ(read->identity, of_another(field));
        EXPECT_EQ(read->run.batches.size(), 1U);
        const auto back = make_sqlite_journal(path)->open(some_identity());
        ASSERT_FALSE(back);
        EXPECT_EQ(back.error().kind, errc::folder_mismatch) << "it holds a paid job";
    }
}

TEST(JournalBinding, WhatMayHaveBeenBoughtBinds) {
    const std::vector<std::function<result<void>(run_journal&)>> uses = {
        [](run_journal& j) {
            return j.intend(0, {{0, 1}}, 1);
        },
        [](run_journal& j) {
            auto done = j.intend(0, {{0, 1}}, 1);
            return done ? j.mark_unknown(0) : done;
        },
        [](run_journal& j) {
            auto done = j.intend(0, {{0, 1}}, 1);
            done = done ? j.accept(0, "job_0", 1) : done;
            return done ? j.complete(0) : done;
        },
        [](run_journal& j) {
            auto done = j.intend(0, {{0, 1}}, 1);
            done = done ? j.accept(0, "job_0", 2) : done;
            return done ? j.forget(0, 2) : done;  // The job failed, and was charged.
        },
        [](run_journal& j) {
            run_facts facts;
            facts.spec_hash = "abc";  // Of rows that a cache had.
            return j.remember(facts);
        },
        [](run_journal& j) {
            run_facts facts;
            facts.extra_chunks = 1;
            return j.remember(facts);
        },
    };
    for (std::size_t i = 0; i < uses.size(); ++i) {
        const scratch_folder scratch;
        const auto path = scratch.file("j");
        {
            const auto journal = make_sqlite_journal(path);
            ASSERT_TRUE(journal->open(some_identity()));
            ASSERT_TRUE(uses[i](*journal)) << i;
        }
        const auto other = make_sqlite_journal(path)->open(of_another(&run_identity::model));
        ASSERT_FALSE(other) << i;
        EXPECT_EQ(other.error().kind, errc::folder_mismatch) << i;
        EXPECT_TRUE(make_sqlite_journal(path)->open(some_identity())) << i;
    }
}

TEST(JournalBinding, AnotherCorpusIsRefusedInAnyCase) {
    const scratch_folder scratch;
    const auto path = scratch.file("j");
    ASSERT_TRUE(make_sqlite_journal(path)->open(some_identity()));
    const auto other = make_sqlite_journal(path)->open(of_another(&run_identity::corpus));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, errc::folder_mismatch);
}

void write_beside(const std::string& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

TEST(JournalBinding, AFolderWithoutABoughtRowTakesAnotherCorpus) {
    const scratch_folder scratch;
    const std::string folder = scratch.path();
    {
        const auto journal = folder::make_folder_journal(folder);
        ASSERT_TRUE(journal->open(some_identity()));
        ASSERT_TRUE(journal->fail_row(3));
    }
    for (const char* name : {"ids.jsonl", "texts.sha256", "failed.jsonl", "duplicates.jsonl"}) {
        write_beside(scratch.file(name), "of the other texts");
    }
    for (const char* name : {"rows.sha256", "receipts.jsonl", "cached.jsonl"}) {
        write_beside(scratch.file(name), "");
    }
    std::uint64_t told = 0;
    prior_visitor visitor;
    visitor.failed = [&told](std::uint64_t, std::uint64_t) -> result<void> {
        ++told;
        return {};
    };
    const auto prior = folder::make_folder_journal(folder)->open(of_another(&run_identity::corpus), visitor);
    ASSERT_TRUE(prior) << prior.error();
    EXPECT_EQ(told, 0U);
    for (const char* name : {"ids.jsonl", "texts.sha256", "failed.jsonl", "duplicates.jsonl"}) {
        EXPECT_FALSE(std::filesystem::exists(scratch.file(name))) << name;
    }
    EXPECT_EQ(read_journal(scratch.file("journal.sqlite"))->identity, of_another(&run_identity::corpus));
}

TEST(JournalBinding, AFolderThatMayHoldRowsKeepsItsCorpus) {
    for (const char* name : {"embeddings.npy", "embeddings.npy.partial", "manifest.json", "rows.sha256",
                             "receipts.jsonl", "cached.jsonl"}) {
        const scratch_folder scratch;
        ASSERT_TRUE(folder::make_folder_journal(scratch.path())->open(some_identity()));
        write_beside(scratch.file("ids.jsonl"), "kept");
        write_beside(scratch.file(name), "x");
        const auto other = folder::make_folder_journal(scratch.path())->open(of_another(&run_identity::corpus));
        ASSERT_FALSE(other) << name;
        EXPECT_EQ(other.error().kind, errc::folder_mismatch);
        EXPECT_TRUE(std::filesystem::exists(scratch.file("ids.jsonl")));
    }
}

TEST(JournalBinding, WhatMayHaveBeenBoughtBindsTheCorpus) {
    const scratch_folder scratch;
    {
        const auto journal = folder::make_folder_journal(scratch.path());
        ASSERT_TRUE(journal->open(some_identity()));
        ASSERT_TRUE(journal->intend(0, {{0, 1}}, 1));
    }
    run_identity now = of_another(&run_identity::corpus);
    now.model = "another";
    const auto other = folder::make_folder_journal(scratch.path())->open(now);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, errc::folder_mismatch);
    EXPECT_NE(other.error().message.find("its model is"), std::string::npos) << other.error();
    EXPECT_NE(other.error().message.find("its corpus"), std::string::npos) << "every field that differs is named";
}

TEST(JournalBinding, FailedRowsAreToldToTheRunThatTheyAreOf) {
    const scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        const auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(some_identity()));
        ASSERT_TRUE(journal->fail_row(3));
        ASSERT_TRUE(journal->fail_row(4));
        ASSERT_TRUE(journal->fail_row(9));
    }
    row_ranges failed;
    prior_visitor visitor;
    visitor.failed = [&failed](std::uint64_t first, std::uint64_t last) -> result<void> {
        failed.emplace_back(first, last);
        return {};
    };
    ASSERT_TRUE(make_sqlite_journal(path)->open(some_identity(), visitor));
    EXPECT_EQ(failed, (row_ranges{{3, 5}, {9, 10}}));
}

}  // namespace
}  // namespace vembed
