#pragma once
/// One bulk run of a corpus in a world, and a check that its rows are right.

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/world.hpp"

namespace vembed::testing {

class corpus_run {
public:
    corpus_run(std::vector<std::string> lines, std::uint32_t rows_per_job) : texts(std::move(lines)) {
        bulk.model = "bge-small-v1.5";
        bulk.rows_per_job = rows_per_job;
    }
    explicit corpus_run(std::size_t rows, std::uint32_t rows_per_job = 10) : corpus_run(corpus(rows), rows_per_job) {}

    result<bulk_report> in(world& w, const std::function<void(std::uint64_t)>& at_event = {}) {
        vector_source source(texts);
        return w.run(w.subject->embed_corpus(source, sink, bulk), at_event);
    }

    void expect_true_rows() const {
        EXPECT_EQ(sink.broken, std::vector<std::string>());
        const matrix truth = embedded(texts);
        for (const auto& [index, row] : sink.rows) {
            EXPECT_TRUE(std::equal(row.begin(), row.end(), truth.data() + index * 384)) << "row " << index;
        }
    }

    std::vector<std::string> texts;
    bulk_options bulk;
    ledger_sink sink;
};

}  // namespace vembed::testing
