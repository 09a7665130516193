#include "client_runs.hpp"

#include <cstring>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "client/jobs/settled_job.hpp"
#include "harness.hpp"
#include "service_process.hpp"

namespace vembed::bench {
namespace {

class span_place final : public cyberian::rows_place {
public:
    explicit span_place(std::span<float> rows) : rows_(rows) {}
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        if (rows * dimensions != rows_.size()) {
            return error(errc::protocol, "the service's rows do not fit");
        }
        return rows_;
    }

private:
    std::span<float> rows_;
};

class shared_jobs {
public:
    std::shared_ptr<detail::client_core> core;
    const jobs_plan* plan = nullptr;
    std::uint64_t next_value = 0;

    shared_jobs() = default;
};

asio::awaitable<void> work_through(std::shared_ptr<shared_jobs> all) {
    const std::uint64_t values = all->plan->rows_per_job * bench_dimensions;
    while (all->next_value < all->plan->output.size()) {
        const std::span<float> rows = all->plan->output.subspan(all->next_value, values);
        all->next_value += values;
        co_await run_one_job(all->core, all->plan, rows);
    }
}

asio::awaitable<void> learn(std::shared_ptr<detail::client_core> core) {
    const result<void> learned = co_await core->learn_limits(no_deadline);
    learned.value();
}

}  // namespace

std::vector<std::string> make_texts(std::uint64_t count, std::size_t bytes_each) {
    static constexpr std::string_view words =
        "the sea is a large body of salt water and nothing here needs an escape; ";
    std::vector<std::string> texts(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::string& text = texts[i];
        text = std::to_string(i) + ' ';
        while (text.size() < bytes_each) {
            text += words.substr(0, std::min(words.size(), bytes_each - text.size()));
        }
    }
    return texts;
}

result<std::optional<source_row>> repeated_source::next() {
    if (next_ == rows_) {
        return std::optional<source_row>();
    }
    source_row row;
    row.text = (*texts_)[next_++ % texts_->size()];
    return std::optional<source_row>(std::move(row));
}

result<void> memory_sink::write(const row_batch& rows) {
    const auto width = static_cast<std::size_t>(rows.dimensions);
    for (std::size_t i = 0; i < rows.indices.size(); ++i) {
        std::memcpy(output_.data() + rows.indices[i] * width, rows.values.data() + i * width, width * sizeof(float));
    }
    return {};
}

client_options options_for(const std::string& base_url, const std::string& api_key, const std::string& ca_file) {
    client_options options;
    options.base_url = base_url;
    options.api_key = secret::from_key(api_key).value();
    options.ca_file = ca_file;
    return options;
}

asio::awaitable<void> run_bulk(client* through, jobs_plan plan) {
    const std::uint64_t rows = plan.output.size() / bench_dimensions;
    repeated_source source(*plan.texts, rows);
    memory_sink sink(plan.output);
    bulk_options options;
    options.model = bench_model;
    options.rows_per_job = static_cast<std::uint32_t>(plan.rows_per_job);
    options.jobs_in_flight = plan.jobs_in_flight;
    options.verify = plan.level;
    const result<bulk_report> report = co_await through->embed_corpus(source, sink, std::move(options));
    if (report.value().rows_done != rows) {
        throw std::runtime_error("not every row came: " + report->message);
    }
}

asio::awaitable<void> run_one_job(std::shared_ptr<detail::client_core> core, const jobs_plan* plan,
                                  std::span<float> rows) {
    auto request = std::make_shared<job_request>();
    request->model = bench_model;
    request->inputs.assign(plan->texts->begin(),
                           plan->texts->begin() + static_cast<std::ptrdiff_t>(plan->rows_per_job));
    result<cyberian::submission> submitted =
        co_await core->api->submit(std::move(request), admission::applicant(), no_deadline);
    const std::string id = submitted.value().accepted.id;
    const result<job> settled = co_await core->api->settle(id, no_deadline);
    settled.value();
    submitted->lease.end();
    span_place place(rows);
    detail::settled_query query;
    query.job_id = id;
    query.rows = plan->rows_per_job;
    query.level = plan->level;
    const result<detail::settled_job> fetched = co_await detail::fetch_settled_job(
        core->api, core->env, core->pins, std::move(query), &place, nullptr, no_deadline);
    fetched.value();
}

void run_jobs(const client_options& options, const jobs_plan& plan) {
    asio::io_context loop(1);
    auto all = std::make_shared<shared_jobs>();
    all->core = detail::client_core::make(loop.get_executor(), options).value();
    all->plan = &plan;
    asio::co_spawn(loop, learn(all->core), rethrow);
    loop.run();
    loop.restart();
    for (std::uint32_t i = 0; i < plan.jobs_in_flight; ++i) {
        asio::co_spawn(loop, work_through(all), rethrow);
    }
    loop.run();
}

}  // namespace vembed::bench
