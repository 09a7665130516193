#pragma once
/// What a batch of jobs needs of a service.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

#include "admission/gate.hpp"

namespace vembed::job_batch {

namespace asio = boost::asio;

/// A file that a job made, in memory.
class product_file {
public:
    std::string extension;  ///< With its dot.
    std::string bytes;

    product_file() = default;
    product_file(std::string ending, std::string content) : extension(std::move(ending)), bytes(std::move(content)) {}
};

/// A job that has ended.
class job_end {
public:
    bool failed = false;
    boost::json::object about;        ///< What results.jsonl says of it besides its line, id and files; has "state".
    std::vector<product_file> files;  ///< In memory; the folder names and keeps them.
    /// Files that fetch() kept itself, as results.jsonl shows them: "name" (below `files/`), "bytes".
    boost::json::array kept;

    job_end() = default;
};

/// All calls are made on one executor.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    /// The service's name and its base URL: a folder belongs to them.
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual std::string base_url() const = 0;

    /// Whether a line is a request that the service may take. Pure; called on another thread.
    [[nodiscard]] virtual result<void> check(std::string_view line) const = 0;

    /// Submits a request once and gives the job's id. outcome_unknown: it may have made a job.
    virtual asio::awaitable<result<std::string>> submit(std::string line, admission::applicant who) = 0;

    /// Finds the job that a request made which an earlier process sent at `sent_at`, else outcome_unknown.
    virtual asio::awaitable<result<std::string>> find_lost(std::string line, wall_time sent_at) = 0;

    /// Waits until the job has ended, however. An error tells nothing of the job: it may be waited for again.
    virtual asio::awaitable<result<void>> wait(std::string id) = 0;

    /// What an ended job came to, with the files that it made. A backend whose jobs make large files writes them
    /// itself, durably, into the folder `files`/`name`, which is the job's alone. An error tells nothing of the job.
    virtual asio::awaitable<result<job_end>> fetch(std::string id, std::string files, std::string name) = 0;

    /// A job that an earlier process submitted.
    virtual void know(const std::string& id) = 0;
    /// How many submissions are still to come.
    virtual void expect(std::uint64_t submissions) = 0;
    /// Wakes submissions that wait for their turn, so that they see that their run withdrew.
    virtual void recheck() = 0;
};

}  // namespace vembed::job_batch
