#pragma once
/// Keeps which batch each job of a run is for, what the journal has of it, and ids that came twice: pure.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <vembed/journal/journal.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/batches/batch.hpp"

namespace vembed::bulk {

/// The batch that an accepted job is for.
class job_owner {
public:
    /// The batch's state in the journal, once what was queued for it is done.
    enum class standing : std::uint8_t {
        none,     ///< Nothing.
        held,     ///< Accepted or done.
        doubted,  ///< In doubt: the service gave the job's id to another submission too.
    };

    enum class stage : std::uint8_t {
        asked_for,
        ended,   ///< It is asked for no longer, and its rows are not written.
        stored,  ///< Its rows are written.
    };

    std::uint64_t batch = 0;
    standing journalled = standing::none;
    stage reached = stage::asked_for;
    bool proved = false;       ///< The inputs_root of its receipt was seen to be that of its texts.
    bool disputed = false;     ///< The service gave its id to another submission too.
    row_ranges rows;           ///< Its written rows, if no journal knows them.
    std::vector<digest> keys;  ///< Keys of its cached rows, if nothing proves them and the sink does not know them.

    job_owner() = default;

    /// Appends what the journal must learn, if it has the batch as accepted or done.
    void doubt(std::vector<journal_change>& changes);
    /// Appends that the batch is done. `corrected`: its job cost less than the journal has of it.
    void complete(const bulk::batch& item, bool corrected, std::vector<journal_change>& changes);
};

/// If two batches have one job id, a batch is known by its number.
class job_registry {
public:
    job_registry() = default;

    /// Adds a job that an earlier process left. That process may have taken one id for two batches.
    void adopt(const journalled_batch& left);
    void accept(const std::string& job_id, std::uint64_t number);

    [[nodiscard]] bool knows(const std::string& job_id) const { return jobs_.contains(job_id); }
    /// The batch that had the id first. The id must be known.
    [[nodiscard]] job_owner* first_of(const std::string& job_id) { return &jobs_.at(job_id); }
    /// What is known of the batch's job; null if it has none.
    [[nodiscard]] job_owner* find(const batch& item);
    [[nodiscard]] bool is_disputed(const batch& item) const;

    /// To be called before the change that takes the batch out is queued: what is queued is done in order.
    void leaves_journal(const batch& item);
    void end(const batch& item);

    /// The second batches of the ids that the journal has for two. The list does not grow once the journal is read.
    [[nodiscard]] std::vector<std::pair<std::string, job_owner>>& disputed_before() noexcept {
        return disputed_before_;
    }

private:
    std::map<std::string, job_owner, std::less<>> jobs_;
    std::vector<std::pair<std::string, job_owner>> disputed_before_;
};

}  // namespace vembed::bulk
