#include <vembed/audit/verify_folder.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

#include <vembed/verify/pins.hpp>

#include "audit/folder_coverage.hpp"
#include "audit/folder_files.hpp"
#include "audit/folder_receipts.hpp"
#include "audit/folder_rows.hpp"
#include "audit/pins_comparison.hpp"
#include "audit/receipt_asking.hpp"
#include "audit/report/judging.hpp"
#include "folder/layout.hpp"
#include "folder/manifest.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/records/embedding_file.hpp"

namespace vembed::audit {
namespace {

constexpr const char* unfinished_run = "the run is unfinished";
constexpr const char* cached_skipped =
    "left out, as --skip-rows asks; but no receipt here is about the rows from the cache, and nothing else says that "
    "they are unchanged: leave out --skip-rows";
constexpr const char* no_such = "the folder has none";
constexpr const char* hashes_instead = "rows.sha256 has the hash of each row instead: row_hashes";
constexpr const char* no_manifest =
    "there is no manifest.json of the finished run: run the same `vembed embed` again to write it";

/// The manifest, if there is one, and what is wrong with it.
class read_record {
public:
    std::optional<folder::manifest> recorded;
    check_tally check{"manifest", "recorded", "files", "manifest.json is, byte for byte, as the run wrote it"};

    read_record() = default;
};

result<read_record> read_recorded(const std::string& folder) {
    read_record out;
    auto read = folder::read_manifest(folder);
    if (!read && read.error().kind != errc::verification_failed) {
        return read.error();
    }
    if (!read) {
        out.check.fail(read.error().message);
        return out;
    }
    out.recorded = std::move(*read);
    if (!out.recorded) {
        out.check.leave(no_manifest);
    } else if (!out.recorded->complete) {
        out.check.leave(unfinished_run);
    } else if (!out.recorded->hashed) {
        out.check.leave("it notes no hash of itself: an earlier version of vembed wrote it");
    } else {
        out.check.pass();
    }
    return out;
}

class folder_verifier {
public:
    folder_verifier(std::string folder, read_record recorded, const verify_folder_options& options)
        : folder_(std::move(folder)), record_(std::move(recorded)), options_(&options) {}

    result<folder_report> run();

private:
    [[nodiscard]] bool recorded_complete() const { return record_.recorded && record_.recorded->complete; }
    [[nodiscard]] result<void> open();
    void check_shape(const folder::embedding_file& embeddings);
    void check_record_sizes();
    [[nodiscard]] account_pins choose_pins();
    void check_line(const folder::proven_job& job);
    [[nodiscard]] result<void> for_each_job(const std::function<result<void>(const folder::proven_job&)>& see,
                                            bool report);
    [[nodiscard]] result<void> check_jobs();
    [[nodiscard]] result<void> check_files();
    [[nodiscard]] result<void> finish();
    [[nodiscard]] bool hashed_whole() const;
    void set_required();
    void collect_checks();
    void ask_service();
    void describe_run();
    void add(const check_tally& check) { report_.checks.push_back(check); }

    std::string folder_;
    read_record record_;
    const verify_folder_options* options_;
    std::optional<folder::digest_records> row_digests_;
    std::optional<folder::digest_records> texts_;
    std::optional<std::uint64_t> ids_;
    std::optional<folder_rows> rows_;
    std::optional<folder_coverage> coverage_;
    std::optional<folder_receipts> receipts_;
    folder_report report_;
    check_tally shape_{"shape", "recorded", "files", "the files have as many rows as each other, of one width"};
    check_tally lines_{"receipts_file", "recorded", "lines",
                       "each line of receipts.jsonl can be read, and is the only one of its job"};
    std::unordered_set<std::string> jobs_seen_;
    check_tally pins_;
    std::vector<check_tally> file_checks_;
};

result<void> folder_verifier::open() {
    std::optional<folder::npy_shape> shape;
    if (recorded_complete()) {
        shape.emplace(record_.recorded->rows, record_.recorded->dimensions);
    }
    auto embeddings = folder::embedding_file::open_to_check(folder_, shape);
    if (!embeddings) {
        return embeddings.error();
    }
    auto row_digests =
        folder::digest_records::open(folder::layout::in(folder_, folder::layout::row_hashes), folder::row_digest_bytes);
    auto texts = folder::digest_records::open(folder::layout::in(folder_, folder::layout::text_hashes),
                                              folder::text_digests_bytes);
    if (!row_digests || !texts) {
        return row_digests ? texts.error() : row_digests.error();
    }
    row_digests_ = std::move(*row_digests);
    texts_ = std::move(*texts);
    ids_ = count_lines(folder::layout::in(folder_, folder::layout::ids));
    report_.complete = embeddings->complete();
    report_.rows = embeddings->rows();
    report_.dimensions = embeddings->dimensions();
    check_shape(*embeddings);
    // The memory taken must not depend on what a damaged header or manifest claims.
    const std::uint64_t there = report_.dimensions == 0 ? 0 : embeddings->rows_there();
    const std::uint64_t rows = std::min(report_.rows, std::max(there, ids_.value_or(0)));
    rows_.emplace(std::move(*embeddings), row_digests_ ? &*row_digests_ : nullptr, rows, !options_->row_hashes,
                  options_->stop);
    coverage_.emplace(folder_, *rows_, texts_ ? &*texts_ : nullptr, options_->stop);
    return {};
}

void folder_verifier::check_shape(const folder::embedding_file& embeddings) {
    if (!report_.complete) {
        shape_.leave("the run is unfinished: embeddings.npy is not there yet");
        return;
    }
    const std::string described = std::to_string(report_.rows) + " x " + std::to_string(report_.dimensions);
    if (!embeddings.objection().empty()) {
        shape_.fail(embeddings.objection());
    } else if (!recorded_complete()) {
        shape_.leave(no_manifest);
    } else if (record_.recorded->rows == report_.rows && record_.recorded->dimensions == report_.dimensions) {
        shape_.pass();
    } else {
        shape_.fail("embeddings.npy is " + described + ", manifest.json says " +
                    std::to_string(record_.recorded->rows) + " x " + std::to_string(record_.recorded->dimensions));
    }
    if (ids_ == report_.rows) {
        shape_.pass();
    } else {
        shape_.fail("ids.jsonl has " + (ids_ ? std::to_string(*ids_) : std::string("no readable")) + " lines for the " +
                    std::to_string(report_.rows) + " rows of embeddings.npy");
    }
    check_record_sizes();
}

void folder_verifier::check_record_sizes() {
    for (const auto& [records, bytes] :
         {std::pair(&row_digests_, folder::row_digest_bytes), std::pair(&texts_, folder::text_digests_bytes)}) {
        if (*records && (*records)->bytes() == report_.rows * bytes) {
            shape_.pass();
        } else if (*records) {
            shape_.fail((*records)->path() + " has " + std::to_string((*records)->bytes()) + " bytes, not " +
                        std::to_string(bytes) + " for each of the " + std::to_string(report_.rows) + " rows");
        }
    }
}

account_pins folder_verifier::choose_pins() {
    if (!record_.recorded || record_.recorded->account_id.empty()) {
        pins_ = compare_pins(record_.recorded, {}, options_->known_from);
        return {};
    }
    account_pins known = options_->known.of(pins_key(record_.recorded->service, record_.recorded->account_id));
    pins_ = compare_pins(record_.recorded, known, options_->known_from);
    if (knows_anything(known)) {
        report_.pins_from = pins_origin::known;
        return known;
    }
    if (knows_anything(record_.recorded->pins)) {
        report_.pins_from = pins_origin::manifest;
    }
    return record_.recorded->pins;
}

/// A receipt is about one job's rows, so a second line for the same job would apply it to other rows too.
void folder_verifier::check_line(const folder::proven_job& job) {
    const std::string where = "receipts.jsonl:" + std::to_string(job.line) + ", job " + job.job_id + ": ";
    const bool first = jobs_seen_.insert(job.job_id).second;
    if (first && job.objections.empty()) {
        lines_.pass();
    }
    if (!first) {
        lines_.fail(where + "an earlier line is of this job already");
    }
    for (const std::string& objection : job.objections) {
        lines_.fail(where + objection);
    }
}

/// Passes over lines that cannot be read; they are findings if `report` is set.
result<void> folder_verifier::for_each_job(const std::function<result<void>(const folder::proven_job&)>& see,
                                           bool report) {
    std::string bad_line;  // What is wrong with the last line read; empty if nothing is.
    const auto settle = [&] {
        if (!bad_line.empty() && report) {
            lines_.fail(bad_line);
        }
        bad_line.clear();
    };
    auto read = folder::for_each_line(
        folder::layout::in(folder_, folder::layout::receipts),
        [&](std::string_view line, std::uint64_t number) -> result<void> {
            settle();
            const auto job = folder::read_proven_job(line, number);
            if (!job) {
                bad_line = job.error().message;
                return {};
            }
            if (report) {
                check_line(*job);
            }
            return see(*job);
        },
        [&](std::uint64_t number) {
            settle();
            bad_line = "receipts.jsonl:" + std::to_string(number) + ": " + folder::line_too_long;
        });
    if (!report_.complete && !bad_line.empty() && report) {
        // A killed process may have left half a line, which the next process cuts off.
        lines_.leave("the last line is not whole: " + bad_line);
        bad_line.clear();
    }
    settle();
    if (!read && read.error().kind == errc::bad_input) {
        if (report) {
            lines_.fail(read.error().message);
        }
        return {};
    }
    return read;
}

result<void> folder_verifier::check_jobs() {
    const auto& about = record_.recorded;
    auto facts = about ? run_facts_recorded(*about) : run_facts_recorded();
    receipts_.emplace(*rows_, texts_ ? &*texts_ : nullptr, std::move(facts), choose_pins(), options_->stop);
    receipts_->keep_receipts = options_->service.has_value();
    // Rows are read only for the first job that claims them, so that many lines about the same rows cost no extra time.
    auto learnt = for_each_job(
        [this](const folder::proven_job& job) { return receipts_->learn(job, coverage_->expect_job(job)); }, false);
    if (!learnt) {
        return learnt;
    }
    coverage_->begin();
    return for_each_job(
        [this](const folder::proven_job& job) -> result<void> {
            const auto own = coverage_->cover_job(job);
            return own ? receipts_->judge(job, *own) : result<void>(own.error());
        },
        true);
}

result<void> folder_verifier::check_files() {
    if (recorded_complete() && report_.complete) {
        auto files = check_file_hashes(folder_, *record_.recorded, options_->stop);
        if (!files) {
            return files.error();
        }
        file_checks_.push_back(std::move(*files));
    } else {
        file_checks_.emplace_back("files", "recorded", "files", "each file is as it was when the run ended");
        file_checks_.back().leave(report_.complete ? no_manifest : unfinished_run);
    }
    auto root = check_row_root(record_.recorded, report_.rows, texts_ ? &*texts_ : nullptr,
                               row_digests_ ? &*row_digests_ : nullptr, !options_->row_hashes, options_->stop);
    if (!root) {
        return root.error();
    }
    file_checks_.push_back(std::move(*root));
    return {};
}

result<void> folder_verifier::finish() {
    if (auto failed = coverage_->check_failed(); !failed) {
        return failed;
    }
    if (auto reused = coverage_->check_reused(); !reused) {
        return reused;
    }
    if (auto covered = coverage_->finish(); !covered) {
        return covered;
    }
    if (recorded_complete() && record_.recorded->rows_blank != coverage_->rows_blank) {
        coverage_->coverage.fail("manifest.json says that " + std::to_string(record_.recorded->rows_blank) +
                                 " rows are blank lines, failed.jsonl has " + std::to_string(coverage_->rows_blank));
    }
    if (recorded_complete() && record_.recorded->rows_failed != coverage_->rows_failed) {
        coverage_->coverage.fail("manifest.json says that " + std::to_string(record_.recorded->rows_failed) +
                                 " rows failed, failed.jsonl has " + std::to_string(coverage_->rows_failed));
    }
    report_.jobs = receipts_->job_count;
    report_.chunks = receipts_->chunk_count;
    report_.chunks_sampled = receipts_->chunks_reexecuted;
    report_.receipts = std::move(receipts_->receipts);
    report_.pins = receipts_->learned();
    report_.rows_failed = coverage_->rows_failed;
    report_.rows_refused = coverage_->rows_refused;
    report_.rows_in_receipts = coverage_->rows_in_receipts;
    report_.rows_copied = coverage_->rows_copied;
    report_.rows_copied_from_cached = coverage_->rows_copied_from_cached;
    report_.rows_cached = coverage_->rows_cached;
    return {};
}

/// Whether the hash of the file itself covers the rows too.
bool folder_verifier::hashed_whole() const {
    const auto& files = record_.recorded ? record_.recorded->files : std::map<std::string, folder::file_digest>();
    const auto found = files.find("embeddings.npy");
    return recorded_complete() && found != files.end() && !found->second.sha256.empty();
}

/// Marks the checks that must be checkable even if nobody asks for them. Rows from the cache are in no receipt here, so
/// only their hashes show that they are unchanged. Receipt checks are required if the run itself asked for them.
void folder_verifier::set_required() {
    std::vector<std::string> names = {"shape", "files", "row_coverage", "row_values"};
    const bool receipts = !record_.recorded || record_.recorded->verify >= verify_level::receipt;
    if (report_.jobs > 0) {
        names.emplace_back("output_commitment");
    }
    if (report_.jobs > 0 && receipts) {
        names.insert(names.end(), {"receipt_form", "receipt_job", "service_check"});
    }
    const bool only_hashes = rows_->hashes.not_checkable > 0 && report_.rows_cached > 0 && !hashed_whole();
    if (only_hashes) {
        names.emplace_back(rows_->hashes.name);
    }
    for (check_tally& check : report_.checks) {
        if (only_hashes && check.name == rows_->hashes.name && !options_->row_hashes) {
            check.reason = cached_skipped;
        }
        // A check of something that the folder does not have cannot be missing.
        check.required = check.all() > 0 && std::ranges::find(names, check.name) != names.end();
    }
}

void folder_verifier::collect_checks() {
    add(record_.check);
    add(shape_);
    for (const check_tally& check : file_checks_) {
        add(check);
    }
    for (check_tally* check : {&rows_->hashes, &rows_->values}) {
        // Two chunks are read at a time, so findings are not in the order of rows.
        std::ranges::stable_sort(check->findings, {}, &check_finding::row);
        add(*check);
    }
    for (check_tally* check : {&rows_->failed_rows, &rows_->copies, &coverage_->cached}) {
        check->none_is_fine = true;
        check->hidden_if_none = true;
        add(*check);
    }
    receipts_->outputs.hidden_if_none = true;
    add(receipts_->outputs);
    for (const check_tally& check : {coverage_->coverage, lines_, pins_}) {
        add(check);
    }
    for (const check_tally& check : receipts_->checks) {
        add(check);
    }
    report_.checks.insert(report_.checks.end() - 1, receipts_->service);
    for (check_tally& check : report_.checks) {
        if (check.all() == 0) {
            check.reason = check.name == receipts_->outputs.name && !rows_->lacks_hashes() ? hashes_instead : no_such;
        }
    }
}

/// The folder's checks stand, whatever the service answers.
void folder_verifier::ask_service() {
    const receipt_service& service = *options_->service;
    asked_receipts asked = ask_about_receipts(service, report_.receipts, report_.jobs);
    report_.checks.insert(report_.checks.end() - 1, std::move(asked.check));
    report_.asking_ended_by = std::move(asked.ended_by);
    report_.service_asked = service.base_url;
}

void folder_verifier::describe_run() {
    report_.folder = folder_;
    report_.known_from = options_->known_from;
    if (record_.recorded) {
        const folder::manifest& of = *record_.recorded;
        recorded_run& run = report_.recorded.emplace();
        run.service = of.service;
        run.account_id = of.account_id;
        run.model = of.model;
        run.written_by = of.written_by;
        run.ended_at = of.ended_at;
    }
}

result<folder_report> folder_verifier::run() {
    if (auto opened = open(); !opened) {
        return opened.error();
    }
    for (const auto step : {&folder_verifier::check_files, &folder_verifier::check_jobs, &folder_verifier::finish}) {
        if (auto done = (this->*step)(); !done) {
            return done.error();
        }
    }
    collect_checks();
    set_required();
    add_row_ids(folder_, report_.checks);
    describe_run();
    if (options_->service) {
        ask_service();
    }
    require(report_.checks, options_->required);
    report_.judgement = judge(report_.checks);
    return std::move(report_);
}

/// Refuses what cannot be asked for.
result<void> check_options(const verify_folder_options& options) {
    const std::vector<std::string> names = folder_check_names();
    for (const std::string& name : options.required) {
        if (name != all_checks && std::ranges::find(names, name) == names.end()) {
            return error(errc::invalid_argument, "there is no check called " + name);
        }
        if (name == online_check && !options.service) {
            return error(errc::invalid_argument, "only the service can make the check " + name);
        }
    }
    return {};
}

}  // namespace
}  // namespace vembed::audit

namespace vembed {

result<folder_report> verify_folder(const std::string& folder, const verify_folder_options& options) {
    if (auto possible = audit::check_options(options); !possible) {
        return possible.error();
    }
    auto recorded = audit::read_recorded(folder);
    if (!recorded) {
        return recorded.error();
    }
    // This is checked before the long work, which would otherwise be for nothing.
    const std::string of = recorded->recorded ? recorded->recorded->service : std::string();
    if (options.service && !of.empty() && of != options.service->base_url) {
        return error(errc::invalid_argument, "the folder's receipts are of " + of + ", not of " +
                                                 options.service->base_url +
                                                 ": give --base-url or set CYBERIAN_BASE_URL");
    }
    return audit::folder_verifier(folder, std::move(*recorded), options).run();
}

}  // namespace vembed
