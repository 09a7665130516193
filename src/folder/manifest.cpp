#include "folder/manifest.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "bulk/report_json.hpp"
#include "folder/layout.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"
#include "storage/file_ops.hpp"
#include "storage/replaced_file.hpp"
#include "text/iso_time.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/json_value.hpp"

namespace vembed::folder {
namespace {

namespace json = boost::json;

constexpr std::uint64_t format_version = 1;
constexpr std::uint64_t manifest_bytes_max = 1u << 30;
constexpr const char* row_leaf_form = "SHA-256(0x00 || SHA-256(text) || SHA-256(row))";
constexpr const char* row_tree_form = "rfc6962";

json::object corpus_object(const run_description& run) {
    json::object corpus;
    corpus["sha256"] = text::json_string(run.identity.corpus);
    json::array inputs;
    for (const std::string& input : run.inputs) {
        inputs.emplace_back(text::json_string(input));
    }
    corpus["inputs"] = std::move(inputs);
    corpus["format"] = run.format;
    corpus["text_field"] = text::json_string(run.text_field);
    if (!run.id_field.empty()) {
        corpus["id_field"] = text::json_string(run.id_field);
    }
    return corpus;
}

/// The jobs of every process that worked on the folder, and the totals of their chunks.
result<json::object> jobs_object(const std::string& folder) {
    json::array list;
    std::uint64_t chunks = 0;
    std::uint64_t sampled = 0;
    std::uint64_t without_results = 0;
    auto read = for_each_proven_job(layout::in(folder, layout::receipts), [&](const proven_job& job) -> result<void> {
        json::object one;
        one["job_id"] = text::json_string(job.job_id);
        one["rows"] = text::ranges_array(job.rows);
        if (job.results) {
            std::uint64_t job_sampled = 0;
            for (const chunk_result& chunk : job.results->chunks) {
                job_sampled += chunk.selected_for_verification ? 1 : 0;
            }
            one["chunks"] = job.results->chunks.size();
            one["chunks_sampled"] = job_sampled;
            chunks += job.results->chunks.size();
            sampled += job_sampled;
        } else {
            ++without_results;
        }
        if (job.receipt) {
            one["receipt_id"] = text::json_string(job.receipt->receipt_id);
        }
        list.push_back(std::move(one));
        return {};
    });
    if (!read) {
        return read.error();
    }
    json::object out;
    out["count"] = list.size();
    out["chunks"] = chunks;
    out["chunks_sampled"] = sampled;
    out["without_results"] = without_results;
    out["list"] = std::move(list);
    return out;
}

/// The root over the rows of a complete folder. Returns nothing if the folder has no row hashes.
result<std::optional<digest>> root_over_rows(const std::string& folder, const bulk_report& report) {
    const std::uint64_t rows = report.rows_total;
    auto row_digests = digest_records::open(layout::in(folder, layout::row_hashes), row_digest_bytes);
    auto texts = digest_records::open(layout::in(folder, layout::text_hashes), text_digests_bytes);
    if (!row_digests || !texts) {
        return row_digests ? texts.error() : row_digests.error();
    }
    if (report.reason != stop_reason::complete || !*row_digests || !*texts || (*row_digests)->count() != rows ||
        (*texts)->count() != rows) {
        return std::optional<digest>();
    }
    auto root = row_root_of(**texts, **row_digests, rows, std::stop_token());
    if (!root) {
        return root.error();
    }
    return std::optional(*root);
}

json::object row_root_object(const digest& root, std::uint64_t rows) {
    json::object out;
    out["root"] = to_hex(root);
    out["rows"] = rows;
    out["leaf"] = row_leaf_form;
    out["tree"] = row_tree_form;
    return out;
}

/// Writes the pins in the form and under the limits of scheme_pins::to_json().
result<json::object> account_object(const std::string& id, const account_pins& pins) {
    scheme_pins all;
    if (auto set = all.set(id, pins); !set) {
        return set.error();
    }
    const json::value text = json::parse(all.to_json());
    json::object out;
    out["id"] = text::json_string(id);
    const json::value* known = text.at("accounts").as_object().if_contains(id);
    out["pins"] = known != nullptr ? *known : json::object();
    return out;
}

/// If `hashed_by_row`, embeddings.npy gets no hash, because its rows have hashes; this saves reading it.
result<json::object> files_object(const std::string& folder, bool hashed_by_row) {
    json::object files;
    for (const std::string_view name : layout::result_files) {
        const std::string path = layout::in(folder, name);
        std::error_code ignored;
        if (!std::filesystem::exists(path, ignored)) {
            continue;
        }
        if (hashed_by_row && name == layout::embeddings) {
            json::object one;
            one["bytes"] = std::filesystem::file_size(path, ignored);
            files[name] = std::move(one);
            continue;
        }
        auto digest = digest_of_file(path);
        if (!digest) {
            return digest.error();
        }
        json::object one;
        one["sha256"] = digest->sha256;
        one["bytes"] = digest->bytes;
        files[name] = std::move(one);
    }
    return files;
}

/// The members of the report that concern the last process alone.
json::object run_object(const json::object& all) {
    json::object run;
    for (const char* name : {"reason", "message", "rows_done_before", "jobs", "jobs_unverified", "chunks_used",
                             "chunks_sampled", "extra_chunks", "narrowing_chunks", "rows_duplicate", "rows_cached",
                             "rows_per_chunk", "chunks_naive", "elapsed_ms", "pauses", "paused_ms", "resume_after_s"}) {
        if (const json::value* value = all.if_contains(name)) {
            run[name] = *value;
        }
    }
    return run;
}

/// Adds what ran, and on what.
void add_run(json::object& to, const run_description& run, const bulk_report& report) {
    to["format"] = format_version;
    to["written_by"] = std::string("vembed ") + VEMBED_VERSION;
    to["ended_at"] = text::format_iso_time(run.ended);
    to["status"] = report.reason == stop_reason::complete ? "complete" : "unfinished";
    to["service"] = text::json_string(run.identity.service);
    if (!run.identity.model.empty()) {
        to["model"] = text::json_string(run.identity.model);
    }
    if (!run.identity.spec_sha256.empty()) {
        to["spec_sha256"] = text::json_string(run.identity.spec_sha256);
    }
    if (!report.spec_hash.empty()) {
        to["spec_hash"] = text::json_string(report.spec_hash);
    }
    to["corpus"] = corpus_object(run);
    to["verify"] = to_string(run.verify);
}

/// Adds the counts of rows and the form of their values.
void add_rows(json::object& to, const bulk_report& report) {
    to["rows"] = report.rows_total;
    to["rows_done"] = report.rows_done;
    to["rows_failed"] = report.rows_failed;
    to["rows_blank"] = report.rows_blank;
    to["dimensions"] = report.dimensions;
    to["dtype"] = "float32";
}

/// The last line of a manifest whose other bytes are `before`.
std::string hash_line(std::string_view before) {
    return "  \"" + std::string(manifest_hash_key) + "\": \"" + to_hex(sha256_of(before)) + "\"\n}\n";
}

/// Writes one member per line: the lists are long, but people read the rest.
std::string to_lines(const json::object& object) {
    std::string text = "{\n";
    for (const auto& member : object) {
        text += "  " + json::serialize(json::string(member.key())) + ": " + json::serialize(member.value()) + ",\n";
    }
    return text + hash_line(text);
}

result<void> replace_manifest(const std::string& folder, const json::object& by) {
    auto file = storage::replaced_file::create(layout::in(folder, layout::manifest));
    if (!file) {
        return file.error();
    }
    const std::string text = to_lines(by);
    if (auto written = file->append(text.data(), text.size()); !written) {
        return written;
    }
    return file->finish();
}

/// Whether the text's hash is the one that it names. Returns nothing if it names none.
std::optional<bool> has_own_hash(std::string_view text) {
    const std::size_t key = text.rfind("\n  \"" + std::string(manifest_hash_key) + "\"");
    if (key == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view before = text.substr(0, key + 1);
    return text.substr(before.size()) == hash_line(before);
}

error malformed(const std::string& path, const std::string& what) {
    return {errc::verification_failed, path + ": " + what};
}

row_ranges ranges_in(const json::value* from) {
    row_ranges out;
    if (from == nullptr || !from->is_array()) {
        return out;
    }
    for (const json::value& range : from->get_array()) {
        const bool pair = range.is_array() && range.get_array().size() == 2;
        const auto first = pair ? text::number_of(range.get_array()[0]) : std::nullopt;
        const auto end = pair ? text::number_of(range.get_array()[1]) : std::nullopt;
        if (first && end && *first < *end) {
            out.emplace_back(*first, *end);
        }
    }
    return out;
}

result<void> read_row_root(const json::object& from, const std::string& path, manifest& into) {
    const json::value* value = from.if_contains("row_root");
    if (value == nullptr) {
        return {};
    }
    const json::object* object = value->if_object();
    const auto rows = object != nullptr ? text::number_of(*object, "rows") : std::nullopt;
    const auto root = object != nullptr ? digest_from_hex(text::text_of(*object, "root")) : std::nullopt;
    if (!rows || !root || text::text_of(*object, "leaf") != row_leaf_form ||
        text::text_of(*object, "tree") != row_tree_form) {
        return malformed(path, "row_root is not one that this version of vembed writes");
    }
    into.row_root.emplace();
    into.row_root->root = *root;
    into.row_root->rows = *rows;
    return {};
}

result<void> read_account(const json::object& from, const std::string& path, manifest& into) {
    const json::value* value = from.if_contains("account");
    if (value == nullptr || value->is_null()) {
        return {};
    }
    const json::object* object = value->if_object();
    const std::string id = object != nullptr ? text::text_of(*object, "id") : std::string();
    if (id.empty()) {
        return malformed(path, "account names no account");
    }
    into.account_id = id;
    const json::value* pins = object->if_contains("pins");
    if (pins == nullptr) {
        return {};
    }
    const json::value whole = {{"vembed_pins", 1}, {"accounts", json::object{{id, *pins}}}};
    const auto read = scheme_pins::from_json(json::serialize(whole));
    if (!read) {
        return malformed(path, "account has pins that cannot be read: " + read.error().message);
    }
    into.pins = read->of(id);
    return {};
}

// Jobs that cannot be understood are left out, because the list is for people.
bool is_true(const json::object& in, std::string_view name) {
    const json::value* const value = in.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<job_left> read_jobs_left(const json::object& from) {
    std::vector<job_left> out;
    const json::value* value = from.if_contains("jobs_left");
    if (value == nullptr || !value->is_array()) {
        return out;
    }
    for (const json::value& entry : value->get_array()) {
        const auto batch = entry.is_object() ? text::number_of(entry.get_object(), "batch") : std::nullopt;
        if (!batch) {
            continue;
        }
        const json::object& one = entry.get_object();
        job_left& left = out.emplace_back();
        left.batch = *batch;
        left.job_id = text::text_of(one, "job_id");
        left.reason = text::text_of(one, "reason");
        left.at_fault = is_true(one, "at_fault");
        left.check_failed = is_true(one, "check_failed");
        left.rows = ranges_in(one.if_contains("rows"));
    }
    return out;
}

result<manifest> read_members(const json::object& from, const std::string& path) {
    manifest out;
    const auto rows = text::number_of(from, "rows");
    const auto failed = text::number_of(from, "rows_failed");
    const auto dimensions = text::number_of(from, "dimensions");
    const json::value* files = from.if_contains("files");
    if (text::number_of(from, "format") != format_version || !rows || !failed || !dimensions || files == nullptr ||
        !files->is_object()) {
        return malformed(path, "not a manifest that this version of vembed writes");
    }
    out.complete = text::text_of(from, "status") == "complete";
    out.written_by = text::text_of(from, "written_by");
    out.ended_at = text::text_of(from, "ended_at");
    out.service = text::text_of(from, "service");
    out.model = text::text_of(from, "model");
    out.spec_hash = text::text_of(from, "spec_hash");
    out.rows = *rows;
    out.rows_failed = *failed;
    out.rows_blank = text::number_of(from, "rows_blank").value_or(0);  // Earlier versions wrote no count.
    out.dimensions = *dimensions;
    const std::string level = text::text_of(from, "verify");
    out.verify = level == "offline"   ? verify_level::offline
                 : level == "receipt" ? verify_level::receipt
                 : level == "hash"    ? verify_level::hash
                                      : verify_level::none;
    for (const auto& file : files->get_object()) {
        if (!file.value().is_object()) {
            return malformed(path, "files holds something that is not a file");
        }
        file_digest& digest = out.files[std::string(file.key())];
        digest.sha256 = text::text_of(file.value().get_object(), "sha256");
        digest.bytes = text::number_of(file.value().get_object(), "bytes").value_or(0);
    }
    out.jobs_left = read_jobs_left(from);
    if (auto root = read_row_root(from, path, out); !root) {
        return root.error();
    }
    if (auto account = read_account(from, path, out); !account) {
        return account.error();
    }
    return out;
}

}  // namespace

std::string_view to_string(verify_level level) noexcept {
    switch (level) {
        case verify_level::none: return "none";
        case verify_level::hash: return "hash";
        case verify_level::receipt: return "receipt";
        case verify_level::offline: return "offline";
    }
    return "none";
}

result<void> write_manifest(const std::string& folder, const run_description& run, const bulk_report& report) {
    auto jobs = jobs_object(folder);
    if (!jobs) {
        return jobs.error();
    }
    auto row_root = root_over_rows(folder, report);
    if (!row_root) {
        return row_root.error();
    }
    auto files = files_object(folder, row_root->has_value());
    if (!files) {
        return files.error();
    }
    json::object out;
    add_run(out, run, report);
    add_rows(out, report);
    out["receipts_signed"] = false;
    if (!run.account_id.empty()) {
        auto account = account_object(run.account_id, run.pins);
        if (!account) {
            return account.error();
        }
        out["account"] = std::move(*account);
    }
    if (*row_root) {
        out["row_root"] = row_root_object(**row_root, report.rows_total);
    }
    out["files"] = std::move(*files);
    const json::object all = bulk::report_object(report);
    out["unknown"] = all.at("unknown");
    out["jobs_left"] = all.at("jobs_left");
    out["last_run"] = run_object(all);
    out["jobs"] = std::move(*jobs);
    return replace_manifest(folder, out);
}

result<std::optional<manifest>> read_manifest(const std::string& folder) {
    const std::string path = layout::in(folder, layout::manifest);
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) {
        return std::optional<manifest>();
    }
    if (size > manifest_bytes_max) {
        return malformed(path, "too large to be a manifest");
    }
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.good() && !in.eof()) {
        return storage::io_failure("read", path, errno);
    }
    const auto parsed = text::object_of(text);
    if (!parsed) {
        return malformed(path, "not a JSON object");
    }
    auto members = read_members(*parsed, path);
    if (!members) {
        return members.error();
    }
    const auto hash = has_own_hash(text);
    if (hash == false) {
        return malformed(path,
                         "it has changed since the run ended: it does not have the hash of itself that is its "
                         "last member");
    }
    if (!hash && members->row_root) {
        return malformed(path, "the hash of itself that is its last member is gone");
    }
    members->hashed = hash.has_value();
    return std::optional<manifest>(std::move(*members));
}

}  // namespace vembed::folder
