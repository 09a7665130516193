#include "plan/corpus_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include <vembed/journal/journal.hpp>
#include <vembed/reuse/row_cache.hpp>
#include <vembed/verify/sha256.hpp>

#include "corpus/records/reading_rules.hpp"
#include "corpus/survey.hpp"
#include "folder/corpus_of_run.hpp"
#include "folder/layout.hpp"
#include "folder/output_space.hpp"
#include "folder/run_binding.hpp"
#include "journal/journal_reading.hpp"
#include "plan/purchase_plan.hpp"
#include "reuse/dedup_index.hpp"

namespace vembed::plan {
namespace {

constexpr std::size_t kept_defects_max = 1000;
// The chunk size in the example of the service's documentation. The other end of the range is one row a chunk.
constexpr std::uint64_t rows_per_chunk_example = 100;

/// Looks rows up in a cache, several at a time.
class cache_reader {
public:
    cache_reader() = default;

    static result<cache_reader> open(const plan_corpus_options& options, const std::string& service) {
        cache_reader made;
        std::error_code ignored;
        if (service.empty() || !std::filesystem::exists(options.cache_folder, ignored)) {
            return made;
        }
        const std::string spec_sha256 = options.spec_yaml.empty() ? "" : to_hex(sha256_of(options.spec_yaml));
        auto cache = row_cache::open(options.cache_folder);
        if (!cache) {
            return cache.error();
        }
        auto scope = (*cache)->use(service, options.model, spec_sha256);
        if (!scope) {
            return scope.error();
        }
        made.cache_ = std::move(*cache);
        made.scope_ = std::move(*scope);
        return made;
    }

    /// Which of `texts` are in the cache.
    result<std::vector<std::uint8_t>> look_up(std::span<const digest> texts) {
        std::vector<std::uint8_t> hits(texts.size());
        if (cache_) {
            if (auto found = cache_->find(scope_, texts, hits, values_); !found) {
                return found.error();
            }
        }
        return hits;
    }

private:
    std::unique_ptr<row_cache> cache_;
    cache_scope scope_;
    std::vector<float> values_;
};

/// What buying the corpus takes, found while it is read.
class plan_counter {
public:
    static result<plan_counter> make(const plan_corpus_options& options, const account_limits& limits,
                                     const begun_run& begun, planned_chunk_size size, cache_reader cache) {
        plan_counter made;
        auto index = reuse::dedup_index::create("");
        if (!index) {
            return index.error();
        }
        made.index_ = std::move(*index);
        made.cache_ = std::move(cache);
        made.before_ = begun.rows_done;
        made.failed_ = begun.failed;
        std::vector<std::uint64_t> sizes = {size.rows};
        if (size.origin == chunk_size_origin::nobody) {
            sizes.push_back(std::max(rows_per_chunk_example, 2 * size.rows));
        }
        for (const std::uint64_t rows : sizes) {
            made.counters_.emplace_back(packing_limits_of(options.rows_per_job, rows, limits));
        }
        return made;
    }

    result<void> see(std::uint64_t row, const source_row& found) {
        const digest key = sha256_of(found.text);
        auto first = index_->find_or_add(key, row);
        if (!first) {
            return first.error();
        }
        if (failed_before(row)) {
            ++rows_failed_;
            return {};
        }
        ++rows_wanted_;
        if (*first) {
            ++duplicates_;
            return {};
        }
        // The rows that an earlier run bought are taken to be the first ones.
        if (bought_ < before_) {
            ++bought_;
            return {};
        }
        keys_.push_back(key);
        sizes_.push_back(found.text.size());
        return keys_.size() < looked_up_at_once ? result<void>() : count_pending();
    }

    result<void> finish() {
        if (auto counted_all = count_pending(); !counted_all) {
            return counted_all;
        }
        for (purchase_counter& counter : counters_) {
            counter.finish();
        }
        return {};
    }

    [[nodiscard]] std::uint64_t rows_wanted() const noexcept { return rows_wanted_; }
    [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
    [[nodiscard]] std::uint64_t cached() const noexcept { return cached_; }
    [[nodiscard]] std::uint64_t bought() const noexcept { return bought_; }
    [[nodiscard]] std::uint64_t failed() const noexcept { return rows_failed_; }
    [[nodiscard]] const std::vector<purchase_counter>& counters() const noexcept { return counters_; }

private:
    static constexpr std::size_t looked_up_at_once = 512;

    plan_counter() = default;

    // Rows come in their order, and so do the ranges.
    bool failed_before(std::uint64_t row) {
        while (next_failed_ < failed_.size() && failed_[next_failed_].second <= row) {
            ++next_failed_;
        }
        return next_failed_ < failed_.size() && failed_[next_failed_].first <= row;
    }

    result<void> count_pending() {
        const auto hits = cache_.look_up(keys_);
        if (!hits) {
            return hits.error();
        }
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            if ((*hits)[i] != 0) {
                ++cached_;
                continue;
            }
            for (purchase_counter& counter : counters_) {
                counter.add(sizes_[i]);
            }
        }
        keys_.clear();
        sizes_.clear();
        return {};
    }

    std::unique_ptr<reuse::dedup_index> index_;
    cache_reader cache_;
    std::vector<digest> keys_;  ///< Keys of rows that were not looked up yet.
    std::vector<std::uint64_t> sizes_;
    std::uint64_t before_ = 0;
    row_ranges failed_;
    std::size_t next_failed_ = 0;  ///< The first of `failed_` that does not end before the row under way.
    std::uint64_t rows_failed_ = 0;
    std::uint64_t rows_wanted_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint64_t cached_ = 0;
    std::uint64_t bought_ = 0;
    std::vector<purchase_counter> counters_;
};

void fill_purchases(corpus_plan& into, const plan_counter& counter, std::uint64_t rows_per_job) {
    into.duplicates = counter.duplicates();
    into.cached = counter.cached();
    into.bought = counter.bought();
    into.failed = counter.failed();
    for (const purchase_counter& counted : counter.counters()) {
        purchase one = purchase_of(counted, counter.rows_wanted(), rows_per_job);
        if (into.account) {
            policy::forecast_input input = forecast_input_of(*into.account, into.now);
            input.chunks = one.chunks;
            input.quota.chunks_day.used = into.chunks_today;
            one.finish = policy::forecast(input);
        }
        into.purchases.push_back(std::move(one));
    }
}

// If `folder` is empty, there is no output yet: all of it is to be written, and the free space is not known.
result<void> size_output(corpus_plan& into, const std::string& folder) {
    if (into.dimensions == 0) {
        return {};
    }
    const folder::npy_shape shape(into.seen.rows, into.dimensions);
    if (folder.empty()) {
        into.output.emplace();
        into.output->whole = into.output->left = folder::output_bytes(shape);
        return {};
    }
    auto seen = folder::look_at_space(storage::system_file_ops(), folder, shape);
    if (!seen) {
        return seen.error();
    }
    into.output = *seen;
    return {};
}

}  // namespace

result<begun_run> read_begun(const std::string& folder, const std::vector<std::string>& files,
                             const file_source_options& format, std::uint32_t rules) {
    begun_run out;
    const std::string path = folder::layout::in(folder, folder::layout::journal);
    std::error_code ignored;
    if (folder.empty() || !std::filesystem::exists(path, ignored)) {
        out.note = folder.empty() ? "" : "no run was begun in " + folder + " yet";
        return out;
    }
    auto journal = journal::read_journal_and_failed(path, &out.failed);
    if (!journal) {
        return journal.error();
    }
    auto corpus = corpus::fingerprints_of_corpus(rules, files, format);
    if (!corpus) {
        return corpus.error();
    }
    if (!corpus->has(journal->identity.corpus) && folder::takes_any_corpus(folder, journal->run)) {
        out.note = "nothing was bought in " + folder + " yet: it may be used for this corpus";
        out.failed.clear();
        return out;
    }
    if (!corpus->has(journal->identity.corpus)) {
        return error(errc::folder_mismatch, folder +
                                                " belongs to a run of another corpus: `vembed embed` would "
                                                "refuse it. Give another folder, or that run's inputs");
    }
    out.rows_done = journal->run.rows_done;
    out.dimensions = journal->run.facts.dimensions;
    out.rows_per_chunk = journal->run.facts.rows_per_chunk;
    out.rows_per_chunk_known = folder::chunk_size_is_known(journal->run);
    return out;
}

planned_chunk_size chunk_size_for_plan(std::uint64_t said, const begun_run& begun, detail::chunk_size remembered) {
    if (said > 0) {
        return {said, chunk_size_origin::caller};
    }
    if (begun.rows_per_chunk_known) {
        return {begun.rows_per_chunk, chunk_size_origin::run};
    }
    const std::uint64_t least = std::max<std::uint64_t>(begun.rows_per_chunk, 1);
    const bool is_known = remembered.is_whole && remembered.rows >= least;
    return {std::max(least, remembered.rows), is_known ? chunk_size_origin::memory : chunk_size_origin::nobody};
}

result<void> count_corpus(const plan_corpus_options& options, std::uint32_t rules, const begun_run& begun,
                          const std::string& service, detail::chunk_size remembered, corpus_plan& into) {
    file_source_options format = options.format;
    corpus::survey_options looks = corpus::watched_survey(options.inputs, format, options.reading);
    auto source = corpus::open_files_by(rules, options.inputs, std::move(format));
    if (!source) {
        return source.error();
    }
    auto cache = cache_reader::open(options, service);
    if (!cache) {
        return cache.error();
    }
    const account_limits limits = into.account ? into.account->limits : account_limits();
    const planned_chunk_size size = chunk_size_for_plan(options.rows_per_chunk, begun, remembered);
    into.chunk_size_from = size.origin;
    into.chunk_size_remembered = remembered.is_whole ? remembered.rows : 0;
    auto counter = plan_counter::make(options, limits, begun, size, std::move(*cache));
    if (!counter) {
        return counter.error();
    }
    looks.stop = options.stop;
    looks.shown_max = kept_defects_max;
    looks.see = [&counter](std::uint64_t row, const source_row& found) { return counter->see(row, found); };
    auto seen = corpus::survey(**source, looks);
    if (!seen) {
        return seen.error();
    }
    if (auto finished = counter->finish(); !finished) {
        return finished;
    }
    into.seen = std::move(*seen);
    fill_purchases(into, *counter, options.rows_per_job);
    return size_output(into, options.folder);
}

}  // namespace vembed::plan
