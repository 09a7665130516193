#pragma once
/// @file
/// What embedding a corpus would take, before anything is sent for it.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>
#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/corpus/reading.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/folder/output_space.hpp>
#include <vembed/operation/operation.hpp>
#include <vembed/policy/forecast.hpp>

namespace vembed {

class plan_corpus_options {
public:
    std::vector<std::string> inputs;  ///< The corpus's files, in their order; at least one.
    file_source_options format;       ///< How they are read.
    std::string model;                ///< At most one of model and spec_yaml is set.
    std::string spec_yaml;
    std::uint32_t rows_per_job = 1000;
    std::uint64_t rows_per_chunk = 0;  ///< 0: not told.
    std::string folder;                ///< The output folder of the run, which may have begun; empty: none.
    std::string cache_folder;          ///< Rows that other runs bought; empty: none.
    /// Where this machine counts accounts' use (client_options::quota_folder); empty: it does not.
    std::string quota_folder;
    reading_callbacks reading;
    std::stop_token stop;  ///< Ends the call with `cancelled` before the next row.

    plan_corpus_options() = default;
};

/// Who states the chunk size that a plan is made for.
enum class chunk_size_origin : std::uint8_t {
    nobody,  ///< The size is not known: the plan is made for both ends of a range.
    caller,
    run,     ///< Jobs of the run that was begun.
    memory,  ///< This machine, which remembers it from other runs.
};

/// A purchase at one size of a chunk.
class purchase {
public:
    std::uint64_t rows_per_chunk = 1;
    std::uint64_t rows = 0;
    std::uint64_t jobs = 0;
    std::uint64_t chunks = 0;
    std::uint64_t saved_by_packing = 0;  ///< Chunks saved against jobs of rows_per_job rows that ignore the chunk size.
    std::uint64_t saved_by_reuse = 0;    ///< Chunks that duplicates, the cache and earlier runs save.
    std::optional<finish_forecast> finish;  ///< Empty if the account is not known.

    purchase() = default;

    /// How many of `rows` the forecast buys.
    [[nodiscard]] std::uint64_t rows_bought() const noexcept;
};

/// The complete plan of a corpus.
class corpus_plan {
public:
    corpus_survey seen;  ///< With the first 1000 defective rows.
    std::uint64_t duplicates = 0;
    std::uint64_t cached = 0;
    std::uint64_t bought = 0;  ///< By the run that was begun.
    std::uint64_t failed = 0;  ///< Rows without a defect that failed in that run: it does not buy them again.
    chunk_size_origin chunk_size_from = chunk_size_origin::nobody;
    std::uint64_t chunk_size_remembered = 0;  ///< What earlier jobs of the model showed this machine; 0: nothing.
    std::vector<purchase> purchases;          ///< The dearest first: two if the chunk size is not known, else one.
    std::optional<account_info> account;      ///< Empty if no service was asked, or it could not say.
    std::uint64_t chunks_today = 0;           ///< Used in the last 24 hours, as far as this machine has counted.
    std::uint64_t dimensions = 0;             ///< The dimensions of the model's rows; 0 if not known.
    std::optional<output_space> output;       ///< Empty: dimensions are not known.
    wall_time now{};                          ///< When the plan was made.
    std::string note;                         ///< What the folder says of its run, for people; may be empty.
    std::optional<error> trouble;             ///< Why the account is not known, or the model is none of the service's.

    corpus_plan() = default;

    [[nodiscard]] bool chunk_size_known() const noexcept { return chunk_size_from != chunk_size_origin::nobody; }
};

/// Reads a corpus and finds what embedding it would take: rows, duplicates, jobs, chunks, disk space, and when the
/// account's limits allow it to be done. Asks the service for the account and the model's catalog entry; buys nothing.
/// Memory does not grow with the number of rows.
///
///     vembed::plan_corpus_options options;
///     options.inputs = {"corpus.jsonl"};
///     options.model = "bge-large-v1.5";
///     const auto plan = co_await vembed::plan_corpus(client, options);
///     if (plan) { std::cout << plan->purchases.front().chunks << " chunks at most\n"; }
///
/// \par Errors
/// Those of open_files; invalid_argument if the cache is or lies in an output folder or the folder is a cache;
/// folder_mismatch if the folder belongs to a run of another corpus; journal_damaged, io; cancelled. What the service
/// refuses is no error of the plan: see corpus_plan::trouble.
/// \par Cancellation
/// options.stop ends the reading before the next row, the operation's cancellation at its end. call.timeout limits the
/// time for the service's answers; the reading takes as long as the corpus is.
/// \par Lifetimes
/// The options are copied; the end of the client cancels the call. The callbacks of `reading` are called on the
/// environment's reading thread.
operation<corpus_plan> plan_corpus(client& with, plan_corpus_options options, call_options call = {});

/// The same, blocking.
result<corpus_plan> plan_corpus(blocking_client& with, plan_corpus_options options, call_options call = {});

/// The same without a service: no account, no forecast, and no row counts as cached. Blocks.
result<corpus_plan> plan_corpus(plan_corpus_options options);

}  // namespace vembed
