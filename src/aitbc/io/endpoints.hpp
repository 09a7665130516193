#pragma once
/// The service's calls as coroutines: which form of a route to ask, what to repeat, what to read. Used on one executor.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/aitbc/client.hpp>

#include "aitbc/wire/routes.hpp"
#include "http/pipeline.hpp"

namespace vembed::aitbc {

/// Makes the errors of a service that is asked in `asked_in`. `key` is taken out of every text.
http::error_mapper error_mapper_of(dialect asked_in, std::shared_ptr<const secret> key);

class endpoints {
public:
    endpoints(std::shared_ptr<http::pipeline> through, dialect asked_in);

    asio::awaitable<result<job>> get_job(std::string id, monotonic_time deadline);
    /// The same as a poll: it goes after everything that somebody waits for.
    asio::awaitable<result<job>> poll_job(std::string id, monotonic_time deadline);
    asio::awaitable<result<job_page>> get_page(list_query query, admission::call_rank rank, monotonic_time deadline);
    asio::awaitable<result<std::vector<job>>> get_jobs(job_filter filter, monotonic_time deadline);
    asio::awaitable<result<job>> cancel_job(std::string id, monotonic_time deadline);
    asio::awaitable<result<job_product>> get_product(std::string id, monotonic_time deadline);
    /// The product of a job whose state was just read.
    asio::awaitable<result<job_product>> get_product_of(job seen, monotonic_time deadline);
    asio::awaitable<result<std::vector<job>>> get_history(std::optional<wall_time> from, std::optional<wall_time> to,
                                                          monotonic_time deadline);
    asio::awaitable<result<receipt>> get_receipt(std::string id, monotonic_time deadline);
    asio::awaitable<result<receipt_page>> get_receipts(std::string id, monotonic_time deadline);

    /// The call that submits `body`.
    [[nodiscard]] http::call submission_of(std::string body, monotonic_time deadline) const;
    [[nodiscard]] dialect asked_in() const noexcept { return asked_in_; }
    [[nodiscard]] const std::shared_ptr<http::pipeline>& through() const noexcept { return through_; }

private:
    class asked_form;

    [[nodiscard]] http::call call_of(std::string target, monotonic_time deadline) const;
    asio::awaitable<result<job>> read_job_at(std::string id, admission::call_rank rank, monotonic_time deadline);
    template <class T>
    asio::awaitable<result<T>> get_below(std::string id, const char* path, result<T> (*read)(std::string_view),
                                         monotonic_time deadline);
    asio::awaitable<asked_form> ask_forms(task what, std::string id, http::call base, job_state last_known);
    asio::awaitable<result<std::vector<job>>> list_within(std::optional<wall_time> from, std::optional<wall_time> to,
                                                          job_filter filter, monotonic_time deadline);

    std::shared_ptr<http::pipeline> through_;
    dialect asked_in_;
    route_plan routes_;
};

}  // namespace vembed::aitbc
