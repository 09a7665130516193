#include "attest/attest_rows.hpp"

#include <algorithm>
#include <deque>

#include "attest/attest_outcomes.hpp"
#include "attest/attest_source.hpp"
#include "attest/attested_lines.hpp"
#include "client/jobs/attest.hpp"
#include "corpus/survey.hpp"
#include "folder/records/npy_input.hpp"
#include "runtime/task_group.hpp"
#include "text/text_format.hpp"

namespace vembed::attest {
namespace {

error cancelled() {
    return {errc::cancelled, "cancelled; what was under way may be attested and charged"};
}

/// The requests of one call. As many workers run as requests may be under way; each takes rows, has them attested and
/// records the outcome.
class attest_run {
public:
    attest_run(attest_call* call, attest_source* source, attest_record_file* file, std::uint64_t rows_at_most)
        : call_(call), source_(source), file_(file) {
        call_->report.rows_total = source->rows();
        call_->report.rows_per_request = rows_at_most;
    }

    asio::awaitable<result<void>> run() {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        runtime::task_group workers(executor, call_->core->env);
        const std::uint32_t side_by_side = std::max<std::uint32_t>(call_->options.requests_in_flight, 1);
        for (std::uint32_t i = 0; i < side_by_side; ++i) {
            workers.spawn(work());
        }
        const bool undisturbed = co_await workers.join();
        if (!undisturbed) {
            co_return cancelled();
        }
        call_->report.stopped = call_->is_stopped() && (!all_read_ || !todo_.empty());
        co_return result<void>();
    }

private:
    asio::awaitable<void> work() {
        for (;;) {
            std::optional<attest_part> part = co_await take();
            if (!part) {
                co_return;
            }
            const result<void> done = co_await see_through(&*part);
            if (!done) {
                call_->end(done.error());
            }
        }
    }

    // The next rows to send; empty if there are none or if the run is to end.
    asio::awaitable<std::optional<attest_part>> take() {
        while (!is_over()) {
            if (!todo_.empty()) {
                co_return take_todo();
            }
            const bool ends = co_await runtime::is_cancelled();
            if (all_read_ || ends) {
                break;
            }
            const std::uint64_t most = call_->report.rows_per_request;
            std::function<result<attest_step>()> reading = [this, most] { return source_->next(most); };
            result<attest_step> step = co_await on_worker(call_->core->env, std::move(reading));
            if (!step) {
                call_->end(step.error());
                break;
            }
            all_read_ = all_read_ || step->ended;
            count_passed(*step);
            if (step->part && !is_over()) {
                co_return std::move(step->part);
            }
            if (step->part) {
                todo_.push_back(std::move(*step->part));
            }
        }
        co_return std::nullopt;
    }

    // Other workers go on while this one waits for a file, so that this is asked again after each wait.
    [[nodiscard]] bool is_over() const { return call_->report.ended_by || call_->is_stopped(); }

    void count_passed(const attest_step& step) {
        for (const unfit_row& row : step.unfit) {
            count(call_->report, row);
        }
        if (step.known) {
            count(call_->report, *step.known, true);
        }
        call_->tell_progress();
    }

    attest_part take_todo() {
        attest_part part = std::move(todo_.front());
        todo_.pop_front();
        const std::uint64_t most = call_->report.rows_per_request;
        if (part.size() > most) {
            todo_.push_front(part.cut(most, part.size() - most));
            return part.cut(0, most);
        }
        return part;
    }

    asio::awaitable<result<void>> see_through(attest_part* part) {
        std::function<result<std::uint64_t>()> beginning = [this, part] { return file_->begin(part->claim); };
        const result<std::uint64_t> number = co_await on_worker(call_->core->env, std::move(beginning));
        if (!number) {
            co_return number.error();
        }
        if (is_over()) {
            todo_.push_back(std::move(*part));
            co_return co_await call_->withdraw(file_, *number);
        }
        ++call_->report.requests_under_way;
        const auto request = std::make_shared<const job_request>(call_->request_for(part->texts));
        const monotonic_time deadline = deadline_after(call_->core->env->now(), request_patience);
        result<std::string> claim = part->claim.commitment;
        const result<attestation> made = co_await detail::attest(call_->core, request, std::move(claim), deadline);
        --call_->report.requests_under_way;
        result<void> noted;
        if (made) {
            noted = co_await note(*number, part, &*made);
        } else {
            noted = co_await react(*number, part, made.error());
        }
        call_->tell_progress();
        co_return noted;
    }

    asio::awaitable<result<void>> note(std::uint64_t number, const attest_part* part, const attestation* made) {
        ++call_->report.requests;
        count(call_->report, made->report);
        claim_record record;
        record.claim = part->claim;
        record.outcome = claim_outcome::attested;
        record.job_id = made->receipt.job_id;
        record.receipt_id = made->receipt.receipt_id;
        record.checks = checks_text(made->report);
        record.receipt = made->receipt.raw_text;
        co_return co_await call_->keep(file_, number, &record);
    }

    asio::awaitable<result<void>> react(std::uint64_t number, const attest_part* part, error why) {
        const claim_reaction reaction = react_to_claim(why);
        if (reaction == claim_reaction::stop) {
            call_->end(std::move(why));
            co_return co_await call_->withdraw(file_, number);
        }
        ++call_->report.requests;
        if (reaction == claim_reaction::halve && part->size() > 1) {
            halve(*part, why);
            co_return co_await call_->withdraw(file_, number);
        }
        const claim_record record = record_of_failure(part->claim, why);
        co_return co_await call_->keep(file_, number, &record);
    }

    // A refusal costs nothing. A refusal because of the size applies to every request that follows.
    void halve(const attest_part& part, const error& why) {
        const std::uint64_t half = (part.size() + 1) / 2;
        if (why.kind == errc::request_too_large && half < call_->report.rows_per_request) {
            call_->report.rows_per_request = half;
            call_->core->env->log(log_level::warning, "attest_request_halved",
                                  {log_field("rows", part.size()), log_field("trying", half)});
        }
        todo_.push_front(part.cut(half, part.size() - half));
        todo_.push_front(part.cut(0, half));
    }

    attest_call* call_;
    attest_source* source_;
    attest_record_file* file_;
    std::deque<attest_part> todo_;
    bool all_read_ = false;
};

class surveyed_rows {
public:
    folder::npy_input rows;
    std::uint64_t texts_left_out = 0;

    surveyed_rows(folder::npy_input read, std::uint64_t left_out) : rows(std::move(read)), texts_left_out(left_out) {}
};

// Reads the corpus once, so that what is wrong with it is known before anything is sent.
result<surveyed_rows> survey_rows(const attest_options& options) {
    auto rows = folder::npy_input::open(options.npy_file);
    if (!rows) {
        return rows.error();
    }
    auto texts = open_files(options.inputs, options.format);
    if (!texts) {
        return texts.error();
    }
    corpus::survey_options looks;
    looks.stop = options.stop;
    const auto seen = corpus::survey(**texts, looks);
    if (!seen) {
        return seen.error();
    }
    if (seen->rows != rows->layout().rows) {
        return error(errc::bad_input, "there are " + text::grouped(seen->rows) + " texts and " +
                                          text::grouped(rows->layout().rows) + " rows in " + options.npy_file +
                                          ": which row is of which text?");
    }
    return surveyed_rows(std::move(*rows), seen->defective);
}

std::uint64_t rows_of_a_chunk(const attest_call& call) {
    const std::uint64_t told = call.options.rows_per_chunk == 0 ? request_rows_max : call.options.rows_per_chunk;
    return std::min(told, call.spec_chunk_size.value_or(told));
}

}  // namespace

asio::awaitable<result<void>> attest_rows(attest_call* call) {
    std::function<result<surveyed_rows>()> surveying = [call] { return survey_rows(call->options); };
    result<surveyed_rows> surveyed = co_await runtime::on_reader(call->core->env, std::move(surveying));
    if (!surveyed) {
        co_return surveyed.error();
    }
    const bool ends = co_await runtime::is_cancelled();
    if (ends) {
        co_return cancelled();
    }
    if (surveyed->texts_left_out > 0) {
        call->core->env->log(log_level::warning, "attest_texts_left_out",
                             {log_field("texts", surveyed->texts_left_out)});
    }
    const result<account_info> account = co_await call->read_account();
    if (!account) {
        co_return account.error();
    }
    const result<void> fits = co_await call->check_width(surveyed->rows.layout().dimensions);
    if (!fits) {
        co_return fits;
    }
    claim_history history;
    result<attest_record_file> file = co_await call->open_file(&history);
    if (!file) {
        co_return file.error();
    }
    std::function<result<std::unique_ptr<row_source>>()> opening = [call] {
        return open_files(call->options.inputs, call->options.format);
    };
    result<std::unique_ptr<row_source>> texts = co_await on_worker(call->core->env, std::move(opening));
    if (!texts) {
        co_return texts.error();
    }
    attested_lines attested(*file, *call->core->pins, call->spec_chunk_size);
    attest_source source(std::move(*texts), std::move(surveyed->rows), history, attested, call->options.retry_unknown);
    attest_run run(call, &source, &*file,
                   std::min(rows_of_a_chunk(*call), account->limits.max_inputs.value_or(request_rows_max)));
    co_return co_await run.run();
}

}  // namespace vembed::attest
