#include "aitbc/io/endpoints.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/parse.hpp>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/codec.hpp"
#include "aitbc/wire/error_table.hpp"
#include "core/with_job.hpp"
#include "text/json/json_fields.hpp"
#include "text/words.hpp"

namespace vembed::aitbc {
namespace {

constexpr std::uint64_t response_max = std::uint64_t{16} << 20;
constexpr std::uint64_t product_max = std::uint64_t{64} << 20;

// A random number that the service echoes and logs, by which its operators find a request.
std::string request_id(std::uint64_t drawn) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(16, '0');
    for (char& c : text) {
        c = digits[drawn & 0xf];
        drawn >>= 4;
    }
    return text;
}

// What a refusal says of the route. The body is small, so the part that the error keeps is all of it.
std::optional<refusal> refusal_in(const result<http::response>& got, dialect asked_in) {
    const error why = got ? error() : got.error();  // A copy: result::error() returns a value.
    if (why.http_status < 300) {
        return std::nullopt;
    }
    failed_response from;
    from.status = why.http_status;
    from.body = why.raw_body;
    from.asked_in = asked_in;
    return map_error(from, wall_time()).what;
}

bool is_json(const http::response& got) {
    const std::string_view type = got.head.find("Content-Type").value_or("");
    return type.substr(0, type.find(';')).find("json") != std::string_view::npos;
}

// Where a job's output was told to go, if that is not the service itself.
std::string destination_of(const job& of) {
    const boost::json::object* object = of.raw.if_object();
    const boost::json::value* config = object == nullptr ? nullptr : object->if_contains("output_config");
    const boost::json::object* members = config == nullptr ? nullptr : config->if_object();
    std::string place = members == nullptr ? std::string() : text::text_of(*members, "destination");
    return place.starts_with("s3://") ? place : std::string();
}

result<job_product> product_of(form used, http::response got, const std::string& id) {
    job_product made;
    if (used == form::output_by_result) {
        result<job_output> read = read_output(got.body);
        if (!read) {
            return with_job(read.error(), id);
        }
        if (read->says_failed) {
            return with_job(error(errc::job_failed, "the job failed: " + read->error.value_or("no reason was given")),
                            id);
        }
        made.value = std::move(read->result);
        made.receipt = std::move(read->receipt);
        return made;
    }
    made.content_type = got.head.find("Content-Type").value_or("");
    if (is_json(got)) {
        boost::json::error_code broken;
        boost::json::value value = boost::json::parse(got.body, broken);
        if (!broken) {
            made.value = std::move(value);
            return made;
        }
    }
    made.bytes = std::move(got.body);
    return made;
}

}  // namespace

http::error_mapper error_mapper_of(dialect asked_in, std::shared_ptr<const secret> key) {
    return [asked_in, key = std::move(key)](const http::response& got, const http::call& asked, wall_time now) {
        failed_response from;
        from.status = got.head.status;
        from.body = got.body;
        from.retry_after = got.head.find("Retry-After");
        from.date = got.head.find("Date");
        from.asked_in = asked_in;
        from.submits = asked.method == http_method::post && asked.target == "/jobs";
        from.secret = key->reveal();
        mapped_refusal mapped = map_error(from, now);
        return http::mapped_error(std::move(mapped.error), mapped.author);
    };
}

// The response in the form of a route that the service has.
class endpoints::asked_form {
public:
    form used = form::history_by_list;
    route_step step;
    result<http::response> got = error();

    asked_form() = default;
};

endpoints::endpoints(std::shared_ptr<http::pipeline> through, dialect asked_in)
    : through_(std::move(through)), asked_in_(asked_in), routes_(asked_in) {}

http::call endpoints::call_of(std::string target, monotonic_time deadline) const {
    http::call made;
    made.target = std::move(target);
    made.body_limit = response_max;
    made.deadline = deadline;
    made.headers.emplace_back("X-Request-ID", request_id(through_->env()->random()));
    return made;
}

http::call endpoints::submission_of(std::string body, monotonic_time deadline) const {
    http::call made = call_of("/jobs", deadline);
    made.method = http_method::post;
    made.body = std::move(body);
    return made;
}

asio::awaitable<result<job>> endpoints::read_job_at(std::string id, admission::call_rank rank,
                                                    monotonic_time deadline) {
    result<std::string> target = job_target(id);
    if (!target) {
        co_return target.error();
    }
    http::call what = call_of(std::move(*target), deadline);
    what.rank = rank;
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return with_job(got.error(), id);
    }
    result<job> read = read_job(got->body);
    if (read && read->id != id) {
        co_return with_job(error(errc::protocol, "the service answered with another job's state"), id);
    }
    co_return read;
}

asio::awaitable<result<job>> endpoints::get_job(std::string id, monotonic_time deadline) {
    return read_job_at(std::move(id), admission::call_rank::interactive, deadline);
}

asio::awaitable<result<job>> endpoints::poll_job(std::string id, monotonic_time deadline) {
    return read_job_at(std::move(id), admission::call_rank::poll, deadline);
}

asio::awaitable<result<job_page>> endpoints::get_page(list_query query, admission::call_rank rank,
                                                      monotonic_time deadline) {
    http::call what = call_of(list_target(query), deadline);
    what.rank = rank;
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return got.error();
    }
    co_return read_page(got->body, query.limit == 0 ? assumed::page_length : query.limit);
}

asio::awaitable<result<std::vector<job>>> endpoints::list_within(std::optional<wall_time> from,
                                                                 std::optional<wall_time> to, job_filter filter,
                                                                 monotonic_time deadline) {
    std::vector<job> found;
    list_query query;
    query.status = filter.status;
    query.limit = std::clamp<std::uint64_t>(filter.jobs_max, 1, assumed::page_length);
    for (std::uint64_t pages = 0; pages < assumed::pages_max && found.size() < filter.jobs_max; ++pages) {
        result<job_page> page = co_await get_page(query, admission::call_rank::interactive, deadline);
        if (!page) {
            co_return page.error();
        }
        for (job& one : page->jobs) {
            if (found.size() < filter.jobs_max && has_status(one, filter.status) && is_within(one, from, to)) {
                found.push_back(std::move(one));
            }
        }
        query.offset += page->jobs.size() + page->unreadable;
        // Jobs come newest first, so nothing later belongs to the time asked for.
        const bool passed =
            from && !page->jobs.empty() && page->jobs.back().created_at && *page->jobs.back().created_at < *from;
        if (!page->more || page->jobs.empty() || passed) {
            break;
        }
    }
    co_return found;
}

asio::awaitable<result<std::vector<job>>> endpoints::get_jobs(job_filter filter, monotonic_time deadline) {
    return list_within(std::nullopt, std::nullopt, std::move(filter), deadline);
}

// Asks in the form that the service is known to have, else in the dialect's own, then in the other one.
asio::awaitable<endpoints::asked_form> endpoints::ask_forms(task what, std::string id, http::call base,
                                                            job_state last_known) {
    asked_form asked;
    asked.used = routes_.first(what);
    for (bool tried_before = false;; tried_before = true) {
        result<std::string> target = form_target(asked.used, id);
        if (!target) {
            asked.got = target.error();
            co_return asked;
        }
        http::call next = base;
        next.target = std::move(*target);
        next.method = asked.used == form::cancel_by_delete ? http_method::delete_
                      : asked.used == form::cancel_by_post ? http_method::post
                                                           : http_method::get;
        // A cancellation may be repeated: it has one effect however often it is sent.
        asked.got = co_await through_->repeat(std::move(next));
        const bool refused = !asked.got && asked.got.error().http_status >= 300;
        asked.step = !asked.got && !refused
                         ? route_step()
                         : routes_.after(asked.used, refusal_in(asked.got, asked_in_), last_known, tried_before);
        if (asked.step.what != route_step::kind::try_next) {
            co_return asked;
        }
        asked.used = *asked.step.next;
    }
}

asio::awaitable<result<job>> endpoints::cancel_job(std::string id, monotonic_time deadline) {
    http::call base = call_of("", deadline);
    const asked_form asked = co_await ask_forms(task::cancel, id, std::move(base), job_state::unknown);
    if (asked.step.what != route_step::kind::ask_job) {
        co_return with_job(asked.got.error(), id);
    }
    co_return co_await get_job(id, deadline);
}

asio::awaitable<result<job_product>> endpoints::get_product(std::string id, monotonic_time deadline) {
    result<job> seen = co_await get_job(id, deadline);
    if (!seen) {
        co_return seen.error();
    }
    co_return co_await get_product_of(std::move(*seen), deadline);
}

asio::awaitable<result<job_product>> endpoints::get_product_of(job seen, monotonic_time deadline) {
    const std::string id = seen.id;
    if (!is_terminal(seen.state)) {
        co_return with_job(error(errc::invalid_argument, "the job has not ended (" + seen.state_text +
                                                             "): wait for it before its output is fetched"),
                           id);
    }
    if (seen.state != job_state::completed) {
        co_return outcome_error(seen);
    }
    job_product made;
    made.value = seen.result;
    made.place = destination_of(seen);
    if (made.value || !made.place.empty()) {
        co_return made;
    }
    http::call base = call_of("", deadline);
    base.body_limit = product_max;
    base.headers.emplace_back("Accept", "*/*");
    asked_form asked = co_await ask_forms(task::output, id, std::move(base), seen.state);
    if (asked.step.what == route_step::kind::no_output) {
        co_return made;
    }
    if (!asked.got) {
        co_return with_job(asked.got.error(), id);
    }
    co_return product_of(asked.used, std::move(*asked.got), id);
}

asio::awaitable<result<std::vector<job>>> endpoints::get_history(std::optional<wall_time> from,
                                                                 std::optional<wall_time> to, monotonic_time deadline) {
    job_filter all("", assumed::page_length * assumed::pages_max);
    if (routes_.first(task::history) == form::history_by_route) {
        http::call what = call_of(history_target(from, to), deadline);
        const result<http::response> got = co_await through_->repeat(std::move(what));
        const route_step step =
            got || got.error().http_status >= 300
                ? routes_.after(form::history_by_route, refusal_in(got, asked_in_), job_state::unknown, false)
                : route_step();
        if (step.what == route_step::kind::failed) {
            co_return got.error();
        }
        if (step.what == route_step::kind::done) {
            result<job_page> page = read_page(got->body, assumed::page_length);
            if (!page) {
                co_return page.error();
            }
            // How a history is paged is not documented; the list is.
            if (!page->more) {
                std::erase_if(page->jobs, [&](const job& one) { return !is_within(one, from, to); });
                co_return std::move(page->jobs);
            }
        }
    }
    co_return co_await list_within(from, to, std::move(all), deadline);
}

template <class T>
asio::awaitable<result<T>> endpoints::get_below(std::string id, const char* path, result<T> (*read)(std::string_view),
                                                monotonic_time deadline) {
    result<std::string> target = job_target(id, path);
    if (!target) {
        co_return target.error();
    }
    http::call what = call_of(std::move(*target), deadline);
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return with_job(got.error(), id);
    }
    co_return read(got->body);
}

asio::awaitable<result<receipt>> endpoints::get_receipt(std::string id, monotonic_time deadline) {
    return get_below<receipt>(std::move(id), "/receipt", &read_receipt, deadline);
}

asio::awaitable<result<receipt_page>> endpoints::get_receipts(std::string id, monotonic_time deadline) {
    return get_below<receipt_page>(std::move(id), "/receipts", &read_receipts, deadline);
}

}  // namespace vembed::aitbc
