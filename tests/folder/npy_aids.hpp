#pragma once
/// Rows, batches and a whole run for tests of npy_sink.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/folder/npy_sink.hpp>

#include "folder/records/npy_file.hpp"
#include "folder/write/npy_writer.hpp"

namespace vembed::testing {

inline constexpr std::uint64_t dims = 3;

inline float value_of(std::uint64_t row, std::uint64_t column) {
    return static_cast<float>(row) + static_cast<float>(column) / 8;
}

inline source_row row_of(std::uint64_t index) {
    source_row row;
    row.text = "text \"" + std::to_string(index) + "\"";
    row.id = "id" + std::to_string(index);
    row.origin = "corpus.txt:" + std::to_string(index + 1);
    return row;
}

class owned_batch {
public:
    explicit owned_batch(std::vector<std::uint64_t> indices, std::uint64_t dimensions = dims,
                         std::uint64_t number = 0) {
        for (const auto index : indices) {
            for (std::uint64_t c = 0; c < dimensions; ++c) {
                values.push_back(value_of(index, c));
            }
        }
        rows.batch = number;
        rows.indices = std::move(indices);
        rows.dimensions = dimensions;
        rows.values = values;
    }
    owned_batch(const owned_batch&) = delete;
    std::vector<float> values;
    row_batch rows;
};

inline failed_row failure_of(std::uint64_t index) {
    failed_row row;
    row.index = index;
    row.row = row_of(index);
    row.reason = error(errc::invalid_request, "too long\n");
    return row;
}

inline job_evidence proof_of(const std::string& job, std::vector<std::uint64_t> indices) {
    job_evidence proof;
    proof.batch = 7;
    proof.job_id = job;
    proof.indices = std::move(indices);
    proof.results_json = "{\n  \"chunks\": [1.50]\r\n}";
    proof.receipt_json = "{\"a\":\"b\"}";
    proof.verification_json = "";
    proof.output_sha256 = "00ff";
    return proof;
}

template <class T>
void expect_ok(const result<T>& r) {
    EXPECT_TRUE(r) << (r ? "" : r.error().describe());
}

inline void describe_rows(npy_sink& sink, std::uint64_t rows) {
    for (std::uint64_t i = 0; i < rows; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
}

template <class T>
void expect_failure(const result<T>& r, errc kind, std::string_view said) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, kind) << r.error();
    EXPECT_NE(r.error().message.find(said), std::string::npos) << r.error();
}

inline std::vector<float> rows_of_npy(const std::string& bytes) {
    std::vector<float> values((bytes.size() - folder::npy_header_bytes) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + folder::npy_header_bytes, values.size() * sizeof(float));
    return values;
}

/// What a journal would know.
class remembered {
public:
    std::set<std::uint64_t> done;
    std::set<std::uint64_t> failed;
};

/// A run of 9 rows in three batches with two failed rows, up to the first failure of the sink.
inline result<void> write_folder(folder::npy_writer& sink, remembered& memory) {
    for (std::uint64_t i = 0; i < 9; ++i) {
        if (auto r = sink.declare_row(i, row_of(i)); !r) {
            return r;
        }
    }
    const std::vector<std::vector<std::uint64_t>> batches{{3, 4, 5}, {0, 1}, {6, 8}};
    for (std::uint64_t b = 0; b < batches.size(); ++b) {
        if (memory.done.contains(b)) {
            continue;
        }
        if (auto r = sink.write_receipt(proof_of("job" + std::to_string(b), batches[b])); !r) {
            return r;
        }
        owned_batch batch(batches[b], dims, b);
        if (auto r = sink.write(batch.rows); !r) {
            return r;
        }
        const std::uint64_t bad = b == 0 ? 2 : 7;
        if (b < 2 && !memory.failed.contains(bad)) {
            if (auto r = sink.fail(failure_of(bad)); !r) {
                return r;
            }
        }
        if (auto r = sink.flush(); !r) {
            return r;
        }
        memory.done.insert(b);
        memory.failed.insert(bad);
    }
    return sink.finish(9, dims);
}

}  // namespace vembed::testing
