#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <vembed/client/attestation.hpp>
#include <vembed/client/pins_file.hpp>
#include <vembed/verify/sha256.hpp>

#include "attest/attest_record.hpp"
#include "attest/attest_source.hpp"
#include "attest/attested_lines.hpp"
#include "cli/commands/attest_commitment.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/report/attest_report.hpp"
#include "cli/terminal/interrupts.hpp"
#include "corpus/survey.hpp"
#include "folder/records/npy_input.hpp"
#include "folder/spool.hpp"
#include "policy/packing/spec_chunk_size.hpp"
#include "runtime/task_group.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

/// What a run needs, found out before anything is sent.
class prepared_claims {
public:
    folder::input_files inputs;
    std::string spec_yaml;
    std::optional<std::uint64_t> spec_chunk_size;  ///< The chunk size that the specification names.
    std::uint64_t rows_at_most = 1000;
    std::string account_id;  ///< Empty if the service does not say.
    attest::attest_identity identity;

    prepared_claims() = default;
};

/// One run under way. It has as many workers as requests may be under way; each takes rows, has them attested and
/// records the outcome. All of them run on the client's loop; files are written between requests, a few kilobytes at a
/// time.
class attest_run {
public:
    attest_run(const attest_arguments& arguments, const prepared_claims& prepared, session& with, environment& env,
               console& out, attest::attest_source& source, attest::attest_record_file& file)
        : arguments_(arguments),
          prepared_(prepared),
          with_(with),
          env_(env),
          out_(out),
          source_(source),
          file_(file),
          rows_at_most_(prepared.rows_at_most) {
        report.rows_total = source.rows();
    }

    asio::awaitable<result<int>> run(std::shared_ptr<environment> env) {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        runtime::task_group workers(executor, std::move(env));
        for (std::uint32_t i = 0; i < arguments_.jobs; ++i) {
            workers.spawn(work());
        }
        co_await workers.join();
        report.rows_per_request = rows_at_most_;
        report.stopped = interrupted() && (!all_read_ || !todo_.empty());
        co_return 0;
    }

    attest_report report;

private:
    asio::awaitable<void> work() {
        for (;;) {
            std::optional<attest::attest_part> part = take();
            if (!part) {
                co_return;
            }
            co_await see_through(&*part);
        }
    }

    // The next rows to send; empty if there are none or if the run is to end.
    std::optional<attest::attest_part> take() {
        // The session's stop token is set only by a turn of the loop, and rows with an outcome are skipped without one.
        while (!report.ended_by && !interrupted()) {
            if (!todo_.empty()) {
                return take_todo();
            }
            if (all_read_) {
                return std::nullopt;
            }
            auto step = source_.next(rows_at_most_);
            if (!step) {
                report.ended_by = step.error();
                return std::nullopt;
            }
            for (const attest::unfit_row& row : step->unfit) {
                report.add(row);
            }
            if (step->known) {
                report.add(*step->known, true);
            }
            show_progress();
            all_read_ = step->ended;
            if (step->part) {
                return std::move(step->part);
            }
        }
        return std::nullopt;
    }

    attest::attest_part take_todo() {
        attest::attest_part part = std::move(todo_.front());
        todo_.pop_front();
        if (part.size() > rows_at_most_) {
            todo_.push_front(part.cut(rows_at_most_, part.size() - rows_at_most_));
            return part.cut(0, rows_at_most_);
        }
        return part;
    }

    asio::awaitable<void> see_through(attest::attest_part* part) {
        const auto number = file_.begin(part->claim);
        if (!number) {
            report.ended_by = number.error();
            co_return;
        }
        ++under_way_;
        call_options options;
        options.timeout = 24h;  // Waiting for the account's pace is no error; the request itself has its own limit.
        job_request request = prepared_.spec_yaml.empty() ? job_request::for_model(arguments_.model, part->texts)
                                                          : job_request::for_spec(prepared_.spec_yaml, part->texts);
        const result<attestation> made =
            co_await with_.client().verify_outputs(std::move(request), part->rows, std::move(options));
        --under_way_;
        const result<void> noted = made ? note(*number, *part, *made) : react(*number, std::move(*part), made.error());
        if (!noted && !report.ended_by) {
            report.ended_by = noted.error();
        }
        show_progress();
    }

    result<void> note(std::uint64_t number, const attest::attest_part& part, const attestation& made) {
        ++report.requests;
        report.add(made.report);
        attest::claim_record record;
        record.claim = part.claim;
        record.outcome = attest::claim_outcome::attested;
        record.job_id = made.receipt.job_id;
        record.receipt_id = made.receipt.receipt_id;
        record.checks = checks_text(made.report);
        record.receipt = made.receipt.raw_text;
        return keep(number, record);
    }

    result<void> keep(std::uint64_t number, const attest::claim_record& record) {
        report.add(record, false);
        if (out_.json()) {
            boost::json::object object;
            object["rows"] = boost::json::array{record.claim.first, record.claim.end};
            object["outcome"] = to_string(record.outcome);
            object["receipt_id"] = text::printable(record.receipt_id);
            out_.print_object("claim", std::move(object));
        }
        return file_.finish(number, record);
    }

    result<void> react(std::uint64_t number, attest::attest_part part, const error& why) {
        claim_reaction reaction = react_to_claim(why);
        if (reaction == claim_reaction::stop) {
            if (!report.ended_by) {
                report.ended_by = why;
            }
            return file_.withdraw(number);
        }
        ++report.requests;
        if (reaction == claim_reaction::halve && part.size() > 1) {
            halve(part, why);
            return file_.withdraw(number);
        }
        attest::claim_record record;
        record.claim = part.claim;
        record.outcome = outcome_of(why);
        record.job_id = why.job_id;
        record.receipt_id = why.receipt_id;
        record.reason = why.message;
        record.receipt = record.outcome == attest::claim_outcome::unverified ? why.raw_body : std::string();
        return keep(number, record);
    }

    // A refusal costs nothing. A refusal because of the size applies to every request that follows.
    void halve(const attest::attest_part& part, const error& why) {
        const std::uint64_t half = (part.size() + 1) / 2;
        if (why.kind == errc::request_too_large && half < rows_at_most_) {
            rows_at_most_ = half;
            out_.say("the service takes fewer than " + text::grouped(part.size()) + " rows at once: trying " +
                     text::grouped(half));
        }
        todo_.push_front(part.cut(half, part.size() - half));
        todo_.push_front(part.cut(0, half));
    }

    void show_progress() {
        const monotonic_time now = env_.now();
        const auto pause = out_.json() ? 1'000ms : out_.live() ? 250ms : 30'000ms;
        if (shown_at_ && now - *shown_at_ < pause) {
            return;
        }
        shown_at_ = now;
        if (out_.json()) {
            boost::json::object object;
            object["rows_total"] = report.rows_total;
            object["rows_settled"] = report.rows_settled();
            object["rows_attested"] = report.rows_attested;
            object["under_way"] = under_way_;
            out_.print_object("progress", std::move(object));
        } else {
            out_.show_progress(progress_line(report, under_way_));
        }
    }

    const attest_arguments& arguments_;
    const prepared_claims& prepared_;
    session& with_;
    environment& env_;
    console& out_;
    attest::attest_source& source_;
    attest::attest_record_file& file_;
    std::uint64_t rows_at_most_;
    std::uint64_t under_way_ = 0;
    std::deque<attest::attest_part> todo_;
    bool all_read_ = false;
    std::optional<monotonic_time> shown_at_;
};

// Asks the service how much a request may hold, and how wide the model's rows are.
result<void> ask_service(session& with, const attest_arguments& arguments, const folder::npy_layout& layout,
                         prepared_claims& prepared) {
    const auto account = with.run(with.client().get_account(with.cancellable()));
    if (!account) {
        return account.error();
    }
    prepared.rows_at_most = std::min(prepared.rows_at_most, account->limits.max_inputs.value_or(1000));
    prepared.account_id = account->account_id;
    if (arguments.model.empty()) {
        return {};
    }
    const auto models = with.run(with.client().get_models(with.cancellable()));
    if (!models) {
        return models.error();
    }
    for (const model_info& model : *models) {
        if (model.id == arguments.model && model.output_dimensions != 0 &&
            model.output_dimensions != layout.dimensions) {
            return error(errc::invalid_argument, arguments.npy_file + " has rows of " +
                                                     std::to_string(layout.dimensions) + " numbers, model " + model.id +
                                                     " gives " + std::to_string(model.output_dimensions) +
                                                     ": no claim could be right");
        }
    }
    return {};
}

result<prepared_claims> prepare(console& out, const attest_arguments& arguments, const folder::npy_layout& layout) {
    prepared_claims prepared;
    prepared.identity.model = arguments.model;
    std::uint64_t chunk_size = arguments.chunk_size;
    if (!arguments.spec_file.empty()) {
        auto spec = job_request::for_spec_file(arguments.spec_file, {});
        if (!spec) {
            return spec.error();
        }
        prepared.spec_yaml = std::move(spec->spec_yaml);
        prepared.identity.spec_sha256 = to_hex(sha256_of(prepared.spec_yaml));
        const auto named = policy::chunk_size_of_spec(prepared.spec_yaml);
        chunk_size = named && (chunk_size == 0 || *named < chunk_size) ? *named : chunk_size;
        prepared.spec_chunk_size = named;
    }
    prepared.rows_at_most = chunk_size == 0 ? 1000 : chunk_size;
    auto inputs = folder::resolve_inputs(arguments.corpus.inputs, input_interrupt());
    if (!inputs) {
        return inputs.error();
    }
    prepared.inputs = std::move(*inputs);
    auto texts = open_files(prepared.inputs.files, arguments.corpus.format);
    if (!texts) {
        return texts.error();
    }
    corpus::survey_options looks;
    looks.stop = interrupt_token();
    const auto seen = corpus::survey(**texts, looks);
    if (!seen) {
        return seen.error();
    }
    if (seen->rows != layout.rows) {
        return error(errc::bad_input, "there are " + text::grouped(seen->rows) + " texts and " +
                                          text::grouped(layout.rows) + " rows in " + arguments.npy_file +
                                          ": which row is of which text?");
    }
    if (seen->defective > 0) {
        out.say(text::counted(seen->defective, "text", "texts") + " cannot be sent; their rows are left out");
    }
    return prepared;
}

// What is known about the account's schemes.
result<account_pins> known_pins(const std::string& file, const prepared_claims& prepared) {
    if (file.empty() || prepared.account_id.empty()) {
        return account_pins();
    }
    const auto known = read_pins_file(file);
    if (!known) {
        return known.error();
    }
    return known->of(pins_key(prepared.identity.service, prepared.account_id));
}

exit_code attest(const command_context& context, const attest_arguments& arguments, session& with,
                 const std::string& pins_file, const std::shared_ptr<environment>& env) {
    auto rows = folder::npy_input::open(arguments.npy_file);
    if (!rows) {
        return give_up(context.out, rows.error());
    }
    auto prepared = prepare(context.out, arguments, rows->layout());
    if (!prepared) {
        return give_up(context.out, prepared.error());
    }
    if (auto asked = ask_service(with, arguments, rows->layout(), *prepared); !asked) {
        return give_up(context.out, asked.error());
    }
    prepared->identity.service = with.client().base_url();
    auto pins = known_pins(pins_file, *prepared);
    if (!pins) {
        return give_up(context.out, pins.error());
    }
    attest::claim_history history;
    auto file = attest::attest_record_file::open(arguments.output_file, prepared->identity, history);
    if (!file) {
        return give_up(context.out, file.error());
    }
    auto texts = open_files(prepared->inputs.files, arguments.corpus.format);
    if (!texts) {
        return give_up(context.out, texts.error());
    }
    attest::attested_lines attested(*file, std::move(*pins), prepared->spec_chunk_size);
    attest::attest_source source(std::move(*texts), std::move(*rows), history, attested,
                                 [retry_unknown = arguments.retry_unknown](attest::claim_outcome before) {
                                     return before == attest::claim_outcome::timed_out ||
                                            (before == attest::claim_outcome::unknown && retry_unknown);
                                 });
    attest_run run(arguments, *prepared, with, *env, context.out, source, *file);
    if (const auto ran = with.run(run.run(env)); !ran && !run.report.ended_by) {
        run.report.ended_by = ran.error();
    }
    if (run.report.ended_by) {
        context.out.fail(*run.report.ended_by);
    }
    tell_end(context.out, run.report, arguments.output_file);
    if (context.out.json()) {
        context.out.print_object("report", report_object(run.report));
    }
    return exit_code_of(run.report);
}

}  // namespace

exit_code run_attest(const command_context& context, const attest_arguments& arguments) {
    const auto env = make_console_environment(context.out, context.output.level);
    const session_options options =
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, arguments.pins_file);
    auto with = session::open(context.access, env, options);
    if (!with) {
        context.out.fail(with.error().reason);
        return with.error().code;
    }
    return arguments.commitment.empty() ? attest(context, arguments, **with, options.pins_file, env)
                                        : attest_commitment(context, arguments, **with, options.pins_file);
}

}  // namespace vembed::cli
