#include "cyberun/io/downloading.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "cyberun/download/download_plan.hpp"
#include "cyberun/download/file_name.hpp"
#include "cyberun/download/integrity.hpp"
#include "cyberun/io/part_file.hpp"
#include "cyberun/io/short_body.hpp"
#include "runtime/blocking_work.hpp"

namespace vembed::cyberun {
namespace {

using step_kind = download_step::kind;

// What the digests of a file are read from.
bool gives_file(int status) {
    return status == 200 || status == 206;
}

download_response response_of(const response_head& head, std::string_view body) {
    download_response made;
    made.status = head.status;
    made.content_length = head.content_length;
    made.etag = head.find("ETag").value_or("");
    made.content_range = head.find("Content-Range").value_or("");
    made.retry_after = head.find("Retry-After");
    made.date = head.find("Date");
    made.body = body;
    return made;
}

download_step failing(error why) {
    download_step made;
    made.failure = std::move(why);
    return made;
}

}  // namespace

// A file on its way.
class downloading::one_file {
public:
    std::string task_id;
    output_link link;
    std::string stem;
    monotonic_time deadline{};
    download_plan plan;
    part_file file;
    expected_digest expected;
    std::string content_type;

    one_file(std::uint64_t bytes_max, part_file into) : plan(download_state(), bytes_max), file(std::move(into)) {}
};

// One response, as the plan judges it.
class downloading::one_exchange final : public response_sink {
public:
    one_exchange(one_file* of, std::shared_ptr<environment> env) : of_(of), env_(std::move(env)) {}

    result<void> begin(const response_head& head) override {
        if (!gives_file(head.status)) {
            return told_.begin(head);
        }
        step = of_->plan.head_read(response_of(head, ""), env_->wall_now(), env_->random());
        if (step->what != step_kind::take) {
            return error(errc::protocol, "the response is not what was asked for");
        }
        const expected_digest digests = read_digests(head.status, head.headers);
        if (step->from == 0 || digests.basis != digest_basis::none) {
            of_->expected = digests;
        }
        of_->content_type = head.find("Content-Type").value_or("");
        taking_ = true;
        return ended_by(of_->file.cut(step->from));
    }

    std::span<std::byte> prepare(std::size_t at_most) override {
        return taking_ ? std::span(room_).first(std::min(at_most, room_.size())) : told_.prepare(at_most);
    }

    result<void> commit(std::size_t size) override {
        if (!taking_) {
            return told_.commit(size);
        }
        moved += size;
        const result<void> taken = of_->plan.bytes_taken(size);
        return ended_by(taken ? of_->file.append(std::span(room_).first(size)) : taken);
    }

    /// What to do after the exchange.
    void judge(const exchange_outcome& outcome) {
        const bool given_up =
            outcome.error && (outcome.error->kind == errc::cancelled || outcome.error->kind == errc::timeout);
        if (failure_ || given_up) {
            step = failing(failure_ ? *failure_ : *outcome.error);
        } else if (taking_) {
            step = of_->plan.body_ended(!outcome.error, env_->random());
        } else if (!step && outcome.head && !gives_file(outcome.head->status)) {
            step = of_->plan.head_read(response_of(*outcome.head, told_.text()), env_->wall_now(), env_->random());
        } else if (!step) {
            const error why = outcome.error.value_or(error(errc::network, "the store did not respond"));
            step = of_->plan.not_reached(why, env_->random());
        }
    }

    std::optional<download_step> step;
    std::uint64_t moved = 0;

private:
    result<void> ended_by(result<void> done) {
        if (!done) {
            failure_ = done.error();
        }
        return done;
    }

    one_file* of_;
    std::shared_ptr<environment> env_;
    short_body told_;
    bool taking_ = false;
    std::optional<error> failure_;  // Not the store's: the download ends.
    std::array<std::byte, 256 * 1024> room_{};
};

// Asks for the file, or for what is missing of it, and follows redirects.
asio::awaitable<void> downloading::request_once(one_file* of, one_exchange* into) {
    result<download_url> at = read_download_url(of->link.url, store_->rules());
    for (std::uint32_t redirects = 0;; ++redirects) {
        if (!at) {
            into->step = failing(at.error());
            co_return;
        }
        const result<std::shared_ptr<transport>> over = store_->reach(*at);
        if (!over) {
            into->step = failing(over.error());
            co_return;
        }
        auto request = std::make_shared<transport_request>();
        request->target = at->target;
        request->headers.emplace_back("Accept", "*/*");
        const download_request part = of->plan.request();
        if (part.from > 0) {
            request->headers.emplace_back("Range", "bytes=" + std::to_string(part.from) + "-");
            request->headers.emplace_back("If-Range", part.if_range);
        }
        file_exchange what;
        what.over = *over;
        what.request = std::move(request);
        what.sink = into;
        what.moved = &into->moved;
        what.deadline = of->deadline;
        into->step.reset();
        const exchange_outcome outcome = co_await store_->exchange(std::move(what));
        into->judge(outcome);
        if (into->step->what != step_kind::redirect) {
            co_return;
        }
        const std::string location(outcome.head->find("Location").value_or(""));
        at = next_hop(http_method::get, *at, location, redirects, store_->rules());
    }
}

// Fetches another link to the same output.
asio::awaitable<result<void>> downloading::refresh(one_file* of) {
    const result<task_result> got = co_await api_->get_result(of->task_id, of->deadline);
    if (!got) {
        co_return got.error();
    }
    const auto same = std::ranges::find(got->outputs, of->link.output_id, &output_link::output_id);
    if (same == got->outputs.end()) {
        co_return error(errc::not_found, "the service no longer gives a link to the output " + of->link.output_id);
    }
    of->link = *same;
    co_return result<void>();
}

asio::awaitable<result<saved_file>> downloading::keep(one_file* of) {
    saved_file made;
    made.output_id = of->link.output_id;
    made.bytes = of->file.size();
    made.content_type = of->content_type;
    const std::string name = file_name(of->stem, of->content_type);
    std::function<result<std::string>()> work = [of, &made, &name]() -> result<std::string> {
        const result<integrity> checked = of->file.check(of->expected);
        if (!checked) {
            return checked.error();
        }
        if (*checked == integrity::failed) {
            of->file.discard();
            return error(errc::protocol, "the downloaded file is not the one that the store describes (" +
                                             std::string(to_string(of->expected.basis)) +
                                             "): it was discarded; download it again");
        }
        made.checked_by = to_string(*checked == integrity::verified ? of->expected.basis : digest_basis::none);
        return of->file.finish(name);
    };
    const result<std::string> path = co_await runtime::on_worker(store_->env(), std::move(work));
    if (!path) {
        co_return path.error();
    }
    made.path = *path;
    co_return made;
}

asio::awaitable<result<saved_file>> downloading::fetch(one_file* of) {
    const std::shared_ptr<environment> env = store_->env();
    for (;;) {
        auto exchange = std::make_unique<one_exchange>(of, env);
        co_await request_once(of, exchange.get());
        const download_step step = *exchange->step;
        switch (step.what) {
            case step_kind::done: {
                co_return co_await keep(of);
            }
            case step_kind::refresh: {
                const result<void> refreshed = co_await refresh(of);
                if (!refreshed) {
                    co_return refreshed.error();
                }
                break;
            }
            case step_kind::back_off: {
                const monotonic_time until = deadline_after(env->now(), step.delay);
                const wait_outcome waited = co_await sleep_until(env, std::min(until, of->deadline));
                if (waited == wait_outcome::cancelled) {
                    co_return error(errc::cancelled, "cancelled while waiting to go on with a download");
                }
                if (env->now() >= of->deadline) {
                    co_return error(errc::timeout, "the deadline passed before the file was downloaded");
                }
                break;
            }
            case step_kind::ask:
            case step_kind::take:
            case step_kind::redirect: break;
            case step_kind::gone:
            case step_kind::fail: co_return *step.failure;
        }
    }
}

asio::awaitable<result<std::vector<saved_file>>> downloading::download(std::string id, std::string folder,
                                                                       download_options what, monotonic_time deadline) {
    const result<task_result> got = co_await api_->get_result(id, deadline);
    if (!got) {
        co_return got.error();
    }
    if (!is_terminal(got->state) && got->outputs.empty()) {
        co_return with_job(error(errc::invalid_argument, "the task has not ended (" + got->state_text +
                                                             "): wait for it before its files are downloaded"),
                           id);
    }
    if (got->state != task_state::completed && got->outputs.empty()) {
        co_return outcome_error(got->state, got->error_text, id);
    }
    std::vector<std::string> ids;
    for (const output_link& each : got->outputs) {
        ids.push_back(each.output_id);
    }
    for (const std::string& wanted : what.output_ids) {
        if (std::ranges::find(ids, wanted) == ids.end()) {
            co_return with_job(error(errc::invalid_argument, "the task has no output " + wanted), id);
        }
    }
    const std::vector<std::string> stems = file_stems(ids);
    folder = folder.empty() ? "." : folder;
    std::vector<saved_file> saved;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!what.output_ids.empty() && std::ranges::find(what.output_ids, ids[i]) == what.output_ids.end()) {
            continue;
        }
        std::function<result<part_file>()> begin = [&folder, &stems, i] { return part_file::create(folder, stems[i]); };
        result<part_file> file = co_await runtime::on_worker(store_->env(), std::move(begin));
        if (!file) {
            co_return with_job(file.error(), id);
        }
        one_file of(what.bytes_max == 0 ? bytes_max_ : what.bytes_max, std::move(*file));
        of.task_id = id;
        of.link = got->outputs[i];
        of.stem = stems[i];
        of.deadline = deadline;
        result<saved_file> one = co_await fetch(&of);
        if (!one) {
            co_return with_job(one.error(), id);
        }
        saved.push_back(std::move(*one));
    }
    co_return saved;
}

}  // namespace vembed::cyberun
