#pragma once
/// Where a service has its routes, and which of two forms to try next (wire contract, section 3, the table of calls).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/result.hpp>

#include "aitbc/wire/error_table.hpp"

namespace vembed::aitbc {

/// The base URL in the one form that is used: with `/v1` and without a slash at its end (the service redirects there).
/// It may be given with or without `/v1`, a final slash, or `/jobs`. invalid_argument if it is no http(s) URL of at
/// most 2,048 visible characters, or has a user name, query or fragment.
result<std::string> normal_base_url(std::string_view given);

/// What is asked of a service that may have either of two forms of a route.
enum class task : std::uint8_t { cancel, output, history };

/// How it is asked for.
enum class form : std::uint8_t {
    cancel_by_delete,    ///< DELETE /jobs/{id}
    cancel_by_post,      ///< POST /jobs/{id}/cancel
    output_by_download,  ///< GET /jobs/{id}/download
    output_by_result,    ///< GET /jobs/{id}/result
    history_by_route,    ///< GET /jobs/history
    history_by_list,     ///< GET /jobs, filtered by the client
};

class route_step {
public:
    enum class kind : std::uint8_t {
        done,       ///< The response is the answer.
        ask_job,    ///< A cancellation was taken or is impossible: GET the job, whose state tells.
        try_next,   ///< Ask again in the form `next`.
        wait,       ///< There is no result yet: ask again later.
        no_output,  ///< The job ended without a result.
        failed,     ///< The response's error is the outcome.
    };
    kind what = kind::failed;
    std::optional<form> next;

    route_step() = default;
};

/// The forms that one base URL was found to have. A value: keep one for each base URL.
class route_plan {
public:
    explicit route_plan(dialect which = dialect::docs) noexcept : dialect_(which) {}

    /// The form to try first: the dialect's own, unless it was found absent.
    [[nodiscard]] form first(task what) const noexcept;

    /// Decides on the response to a request in the form `used`, and remembers forms that are absent. `refused` is empty
    /// if the response was 2xx. `last_known` is the job's state for an output. `tried_before` is true if the other form
    /// was tried in the same call: a second absent form is an error.
    route_step after(form used, std::optional<refusal> refused, job_state last_known, bool tried_before);

    /// The forms found absent, as bits, so that they can be kept.
    [[nodiscard]] std::uint8_t remembered() const noexcept { return absent_; }
    void recall(std::uint8_t forms) noexcept { absent_ = forms; }

private:
    [[nodiscard]] bool is_absent(form which) const noexcept;

    dialect dialect_;
    std::uint8_t absent_ = 0;
};

/// Which jobs a list or a history shows.
class list_query {
public:
    std::string status;       ///< A state's word; empty: any.
    std::uint64_t limit = 0;  ///< 0: the assumed page length.
    std::uint64_t offset = 0;

    list_query() = default;
};

/// The path below the base URL, with its query. invalid_argument for an id that is no path segment or that is the name
/// of a route.
result<std::string> job_target(std::string_view id, std::string_view below = {});
std::string list_target(const list_query& query);
result<std::string> form_target(form which, std::string_view id);
/// Dates are UTC days, YYYY-MM-DD in the query.
std::string history_target(std::optional<wall_time> from, std::optional<wall_time> to);

/// Whether a job belongs to a history of [from, to]: services do not apply the dates. A job without a time belongs to
/// it.
bool is_within(const job& one, std::optional<wall_time> from, std::optional<wall_time> to) noexcept;

/// Whether a job has the state that a list was asked for: an unknown status is ignored by the service.
bool has_status(const job& one, std::string_view status) noexcept;

}  // namespace vembed::aitbc
