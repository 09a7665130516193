#pragma once
/// The folder of a batch of jobs: the journal, the records of ended jobs and their files. Blocks for as long as the
/// disk takes.
///
/// The order of writing is what survives a kill: a job's files, then its record, each made durable, then the journal's
/// entry that it is done. A record without that entry is written again.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>
#include <vembed/journal/journal.hpp>

#include "job_batch/backend.hpp"
#include "job_batch/requests.hpp"
#include "storage/file_ops.hpp"

namespace vembed::job_batch {

/// What an earlier run left of a request.
enum class request_state : std::uint8_t { open, accepted, in_doubt, done, failed };

class job_folder {
public:
    /// Begins the folder, or goes on with it. folder_mismatch if it belongs to another batch or service or is in use;
    /// journal_damaged; io.
    static result<std::unique_ptr<job_folder>> open(const std::string& path, const requests& of, const backend& by);

    [[nodiscard]] const std::vector<request_state>& states() const noexcept { return states_; }
    /// The job of a request that was accepted.
    [[nodiscard]] const std::string& job_of(std::uint64_t request) const { return jobs_.at(request); }
    /// The jobs of requests that have ended.
    [[nodiscard]] const std::vector<std::string>& ended_jobs() const noexcept { return ended_jobs_; }
    /// Where the files of jobs are, and the name that those of the request on `line` begin with.
    [[nodiscard]] std::string files_folder() const;
    [[nodiscard]] static std::string file_stem(std::uint64_t line);
    /// When a request in doubt was about to be sent.
    [[nodiscard]] wall_time sent_at(std::uint64_t request) const { return sent_at_.at(request); }

    result<void> intend(std::uint64_t request, wall_time now);
    result<void> forget(std::uint64_t request);
    result<void> accept(std::uint64_t request, const std::string& job);
    result<void> doubt(std::uint64_t request);
    /// Keeps what a job came to. `job` is empty if the request was refused.
    result<void> end(std::uint64_t request, std::uint64_t line, const std::string& job, const job_end& how);

    /// Writes results.jsonl and failed.jsonl in the order of the requests, and the manifest.
    result<void> publish(const requests& of, const backend& by) const;

private:
    class record_place {
    public:
        std::uint64_t at = 0;
        std::uint64_t size = 0;

        record_place() = default;
    };

    explicit job_folder(std::string path) : path_(std::move(path)) {}
    result<void> take_over(const prior_run& prior);
    result<void> read_records();
    result<boost::json::array> save_files(std::uint64_t line, const std::vector<product_file>& files) const;
    result<void> add_record(std::uint64_t request, const std::string& record);
    [[nodiscard]] result<std::string> record(std::uint64_t request) const;

    std::string path_;
    std::unique_ptr<run_journal> journal_;
    storage::unique_fd records_;
    std::uint64_t records_end_ = 0;
    std::vector<request_state> states_;
    std::map<std::uint64_t, std::string> jobs_;
    std::map<std::uint64_t, wall_time> sent_at_;
    std::set<std::uint64_t> journalled_;  ///< Requests that the journal has as batches.
    std::map<std::uint64_t, record_place> places_;
    std::vector<std::string> ended_jobs_;
};

}  // namespace vembed::job_batch
