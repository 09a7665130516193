#pragma once
/// What the benchmarks let the client do: jobs into memory that was touched before.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/client/client.hpp>
#include <vembed/corpus/source.hpp>

#include "client/client_core.hpp"

namespace vembed::bench {

namespace asio = boost::asio;

/// Texts of about 500 bytes of printable ASCII that need no escape in JSON.
std::vector<std::string> make_texts(std::uint64_t count, std::size_t bytes_each = 500);

/// `rows` rows whose texts are those given, over and over.
class repeated_source final : public row_source {
public:
    repeated_source(const std::vector<std::string>& texts, std::uint64_t rows) : texts_(&texts), rows_(rows) {}
    result<std::optional<source_row>> next() override;
    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override { return rows_; }

private:
    const std::vector<std::string>* texts_;
    std::uint64_t rows_;
    std::uint64_t next_ = 0;
};

/// Rows into memory that is there already.
class memory_sink final : public row_sink {
public:
    explicit memory_sink(std::span<float> output) : output_(output) {}
    result<void> declare_row(std::uint64_t, const source_row&) override { return {}; }
    result<void> write(const row_batch& rows) override;
    result<void> write_receipt(const job_evidence&) override { return {}; }
    result<void> fail(const failed_row& row) override { return row.reason; }
    result<void> flush() override { return {}; }
    result<void> finish(std::uint64_t, std::uint64_t) override { return {}; }

private:
    std::span<float> output_;
};

/// Where the service is and how to reach it.
client_options options_for(const std::string& base_url, const std::string& api_key, const std::string& ca_file);

class jobs_plan {
public:
    std::uint64_t rows_per_job = 1000;
    std::uint32_t jobs_in_flight = 8;
    verify_level level = verify_level::none;
    const std::vector<std::string>* texts = nullptr;  ///< Of one job, used for all.
    std::span<float> output;                          ///< Rows of all jobs.

    jobs_plan() = default;
};

/// client::embed_corpus. Throws where not every row came.
asio::awaitable<void> run_bulk(client* through, jobs_plan plan);

/// The client's operations as client::embed composes them, with the outputs read straight into their place.
void run_jobs(const client_options& options, const jobs_plan& plan);

/// One job: submit, settle, fetch and check.
asio::awaitable<void> run_one_job(std::shared_ptr<detail::client_core> core, const jobs_plan* plan,
                                  std::span<float> rows);

}  // namespace vembed::bench
