#include <vembed/run/run_folder.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <system_error>
#include <utility>

#include <boost/asio/use_future.hpp>

#include <vembed/folder/npy_sink.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/reuse/row_cache.hpp>
#include <vembed/verify/sha256.hpp>

#include "client/client_core.hpp"
#include "client/core_access.hpp"
#include "client/jobs/bulk_run.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "corpus/survey.hpp"
#include "folder/corpus_of_run.hpp"
#include "folder/layout.hpp"
#include "folder/manifest.hpp"
#include "folder/other_folders.hpp"
#include "folder/run_binding.hpp"
#include "folder/run_file.hpp"
#include "journal/journal_takeover.hpp"
#include "operation/launch.hpp"
#include "runtime/blocking_work.hpp"

namespace vembed {
namespace {

result<void> check(const run_folder_options& options) {
    if (options.folder.empty()) {
        return error(errc::invalid_argument, "a run needs an output folder");
    }
    if (options.bulk.journal != nullptr || options.bulk.cache != nullptr) {
        return error(errc::invalid_argument,
                     "journal and cache are the folder's own: leave bulk.journal and bulk.cache, "
                     "and name a cache by cache_folder");
    }
    return folder::check_run_folders(options.cache_folder, options.folder);
}

/// One run's state: what is read before anything is sent, and what is written around embed_corpus(). Its functions
/// block; they are called one at a time on the environment's threads.
class folder_run {
public:
    folder_run(run_folder_options options, std::string service, const std::stop_token& call_stop)
        : options_(std::move(options)),
          on_run_stop_(options_.bulk.stop, stop_request{&reading_stop_}),
          on_call_stop_(call_stop, stop_request{&reading_stop_}) {
        about_.identity.service = std::move(service);
        about_.identity.model = options_.bulk.model;
        about_.identity.spec_sha256 =
            options_.bulk.spec_yaml.empty() ? std::string() : to_hex(sha256_of(options_.bulk.spec_yaml));
        about_.inputs = options_.inputs;
        about_.format = corpus::format_name(options_.format.format);
        about_.text_field = options_.format.text_field;
        about_.id_field = options_.format.id_field;
        about_.verify = options_.bulk.verify;
    }

    /// Checks the options, reads and identifies the corpus, notes the run, and opens what a bulk run takes.
    result<void> begin(wall_time now) {
        auto so_far = check(options_);
        so_far = so_far ? read_corpus() : so_far;
        return so_far ? open(now) : so_far;
    }

    /// Writes the manifest.
    result<run_folder_report> finish(bulk_report report, wall_time now);

    [[nodiscard]] row_source& source() noexcept { return *source_; }
    [[nodiscard]] row_sink& sink() noexcept { return *sink_; }

    [[nodiscard]] std::shared_ptr<bulk_options> bulk() const {
        auto out = std::make_shared<bulk_options>(options_.bulk);
        out->journal = journal_.get();
        out->cache = cache_.get();
        out->identity = about_.identity;
        return out;
    }

private:
    class stop_request {
    public:
        explicit stop_request(std::stop_source* of) : of_(of) {}
        void operator()() const noexcept { of_->request_stop(); }

    private:
        std::stop_source* of_;
    };

    result<void> read_corpus();
    result<void> open(wall_time now);
    [[nodiscard]] bool may_note() const;
    result<void> note(wall_time now) const;
    [[nodiscard]] account_pins pins_of(const bulk_report& report) const;

    run_folder_options options_;
    std::stop_source reading_stop_;
    std::stop_callback<stop_request> on_run_stop_;
    std::stop_callback<stop_request> on_call_stop_;
    folder::run_description about_;
    std::uint32_t rules_ = corpus::latest_reading_rules;
    corpus_survey seen_;
    std::unique_ptr<row_cache> cache_;
    std::unique_ptr<run_journal> journal_;
    std::unique_ptr<row_source> source_;
    std::unique_ptr<npy_sink> sink_;
};

result<void> folder_run::read_corpus() {
    rules_ = folder::rules_for(options_.folder, options_.inputs, options_.format);
    if (auto looked = corpus::look_at_inputs(options_.inputs, options_.format, rules_, options_.reading); !looked) {
        return looked;
    }
    file_source_options format = options_.format;
    corpus::survey_options looks = corpus::watched_survey(options_.inputs, format, options_.reading);
    looks.stop = reading_stop_.get_token();
    auto source = corpus::open_files_by(rules_, options_.inputs, std::move(format));
    if (!source) {
        return source.error();
    }
    auto seen = corpus::survey(**source, looks);
    if (!seen) {
        return seen.error();
    }
    if (seen->rows == 0) {
        return error(errc::bad_input, "the corpus has no rows: is it the right file?");
    }
    seen_ = std::move(*seen);
    auto corpus = folder::fingerprint_for(options_.folder, rules_, options_.inputs, options_.format);
    if (!corpus) {
        return corpus.error();
    }
    about_.identity.corpus = std::move(*corpus);
    if (options_.reading.on_survey) {
        options_.reading.on_survey(seen_);
    }
    return {};
}

// A folder that belongs to another run, or is in use, is not changed: the run itself is refused with what differs.
bool folder_run::may_note() const {
    const std::string path = folder::layout::in(options_.folder, folder::layout::journal);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return true;
    }
    const auto before = read_journal(path);
    return before && !before->in_use &&
           (before->identity == about_.identity ||
            journal::may_be_taken_over(before->identity, about_.identity, before->run) ||
            folder::takes_any_corpus(options_.folder, before->run));
}

result<void> folder_run::note(wall_time now) const {
    folder::run_file note;
    note.rows = seen_.rows;
    note.rows_defective = seen_.defective;
    note.started_at = now;
    note.max_chunks = options_.bulk.max_chunks;
    note.command = options_.command;
    note.folder_to_run_in = options_.command_folder;
    return folder::write_run_file(options_.folder, note);
}

result<void> folder_run::open(wall_time now) {
    auto files = corpus::open_files_by(rules_, options_.inputs, options_.format);
    if (!files) {
        return files.error();
    }
    if (may_note()) {
        if (auto noted = note(now); !noted) {
            return noted;
        }
    }
    if (!options_.cache_folder.empty()) {
        auto cache = row_cache::open(options_.cache_folder);
        if (!cache) {
            return cache.error();
        }
        cache_ = std::move(*cache);
    }
    source_ = std::make_unique<corpus::counted_source>(std::move(*files), seen_.rows);
    sink_ = std::make_unique<npy_sink>(options_.folder);
    journal_ = folder::make_folder_journal(options_.folder);
    return {};
}

// A run that found everything done saw no receipt, so the pins that an earlier run learned stay.
account_pins folder_run::pins_of(const bulk_report& report) const {
    const auto before = folder::read_manifest(options_.folder);
    const bool of_account = before && *before && (*before)->account_id == report.account_id;
    return of_account ? narrowed((*before)->pins, report.pins) : report.pins;
}

result<run_folder_report> folder_run::finish(bulk_report report, wall_time now) {
    about_.ended = now;
    if (report.dimensions == 0) {
        // A run that found everything done saw no row; the file has the dimensions.
        const auto before = folder::embedding_file::open(options_.folder);
        report.dimensions = before ? before->dimensions() : 0;
    }
    about_.account_id = report.account_id;
    about_.pins = pins_of(report);
    if (auto written = folder::write_manifest(options_.folder, about_, report); !written) {
        return written.error();
    }
    run_folder_report out;
    out.bulk = std::move(report);
    out.cache_rows_damaged = cache_ ? cache_->damaged() : 0;
    return out;
}

// Runs on the client's executor.
asio::awaitable<result<run_folder_report>> carry_out(std::shared_ptr<detail::client_core> core,
                                                     std::shared_ptr<run_folder_options> options, std::stop_token stop,
                                                     monotonic_time deadline) {
    folder_run run(std::move(*options), core->base_url, stop);
    std::function<result<void>()> beginning = [&run, now = core->env->wall_now()] { return run.begin(now); };
    const result<void> begun = co_await runtime::on_reader(core->env, std::move(beginning));
    if (!begun) {
        co_return begun.error();
    }
    const bool ends = co_await runtime::is_cancelled();
    if (ends) {
        co_return corpus::reading_cancelled();
    }
    result<bulk_report> bought =
        co_await detail::run_bulk(core, bulk::corpus_source(run.source()), &run.sink(), run.bulk(), deadline);
    if (!bought) {
        co_return bought.error();
    }
    std::function<result<run_folder_report>()> finishing = [&run, &bought, now = core->env->wall_now()] {
        return run.finish(std::move(*bought), now);
    };
    co_return co_await runtime::on_worker(core->env, std::move(finishing));
}

operation<run_folder_report> describe(std::shared_ptr<detail::client_core> core, run_folder_options options,
                                      call_options call) {
    const auto kept = std::make_shared<run_folder_options>(std::move(options));
    auto body = [kept, stop = call.stop](std::shared_ptr<detail::client_core> on, monotonic_time deadline) {
        return carry_out(std::move(on), kept, stop, deadline);
    };
    return detail::describe(std::move(core), detail::within(detail::no_timeout, std::move(call)), std::move(body));
}

}  // namespace

operation<run_folder_report> run_folder(client& with, run_folder_options options, call_options call) {
    return describe(detail::core_access::of(with), std::move(options), std::move(call));
}

result<run_folder_report> run_folder(blocking_client& with, run_folder_options options, call_options call) {
    return describe(detail::core_access::of(with), std::move(options), std::move(call)).start(asio::use_future).get();
}

}  // namespace vembed
