#include "audit/row_prover.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <vembed/verify/output_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/row_root.hpp>

#include "audit/folder_evidence.hpp"
#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/read/reused_rows.hpp"
#include "folder/records/row_cursor.hpp"
#include "storage/file_ops.hpp"
#include "text/json/json_fields.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::audit {
namespace {

constexpr std::uint64_t hashes_a_block = 4096;

error damaged(const std::string& what) {
    return {errc::verification_failed, what + ": `vembed verify` says more"};
}

error refused(const std::string& why) {
    return {errc::bad_input, why};
}

/// Ends the reading of a file of lines before its end. It is not an error, and nobody sees it.
error found() {
    return {errc::cancelled, "found"};
}

/// The position of a corpus row among the job's inputs; empty if the job does not have the row.
std::optional<std::uint64_t> place_in(const folder::proven_job& job, std::uint64_t row) {
    std::uint64_t before = 0;
    for (const auto& [first, end] : job.rows) {
        if (first <= row && row < end) {
            return before + (row - first);
        }
        before += end - first;
    }
    return std::nullopt;
}

result<folder::digest_records> open_records(const std::string& path, std::size_t record_bytes, std::uint64_t rows) {
    auto records = folder::digest_records::open(path, record_bytes);
    if (!records) {
        return records.error();
    }
    if (!*records || (*records)->count() < rows) {
        return damaged(path + (*records ? " is too short" : " is missing"));
    }
    return std::move(**records);
}

}  // namespace

proof_result<row_prover> row_prover::open(const std::string& folder, std::stop_token stop) {
    auto embeddings = folder::embedding_file::open(folder);
    if (!embeddings) {
        return embeddings.error();
    }
    auto recorded = folder::read_manifest(folder);
    if (!recorded) {
        return recorded.error();
    }
    if (!embeddings->complete() || !*recorded || !(*recorded)->complete) {
        return proof_error(error(errc::bad_input, "the run of " + folder +
                                                      " is unfinished: run the same `vembed embed` again until "
                                                      "it is done; `vembed status " +
                                                      text::shell_path(folder) + "` says what is missing"),
                           proof_obstacle::run_unfinished);
    }
    folder::manifest& about = **recorded;
    if (!about.row_root) {
        return refused(
            "manifest.json of " + folder +
            " has no row_root: an earlier version of vembed wrote it, and nothing can be proven of its rows");
    }
    if (about.row_root->rows != embeddings->rows()) {
        return damaged("embeddings.npy has " + std::to_string(embeddings->rows()) + " rows, the row root is over " +
                       std::to_string(about.row_root->rows));
    }
    auto texts = open_records(folder::layout::in(folder, folder::layout::text_hashes), folder::text_digests_bytes,
                              embeddings->rows());
    if (!texts) {
        return texts.error();
    }
    auto rows = open_records(folder::layout::in(folder, folder::layout::row_hashes), folder::row_digest_bytes,
                             embeddings->rows());
    if (!rows) {
        return rows.error();
    }
    return row_prover(folder, std::move(*embeddings), std::move(about), std::move(*texts), std::move(*rows),
                      std::move(stop));
}

result<std::uint64_t> row_prover::row_of_id(std::string_view id) const {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> second;
    const auto read = folder::for_each_line(
        folder::layout::in(folder_, folder::layout::ids), [&](std::string_view line, std::uint64_t number) {
            const auto object = text::object_of(line);
            if (!object || !object->contains("id") || text::text_of(*object, "id") != id) {
                return result<void>();
            }
            if (first) {
                second = number - 1;
                return result<void>(found());
            }
            first = number - 1;
            return result<void>();
        });
    if (!read && !second) {
        return read.error();
    }
    if (!first || second) {
        return error(errc::invalid_argument, second ? "rows " + std::to_string(*first) + " and " +
                                                          std::to_string(*second) +
                                                          " both have that id: say which with --row"
                                                    : "no row has that id (ids.jsonl has those that the corpus gave)");
    }
    return *first;
}

result<std::string> row_prover::id_of(std::uint64_t row) const {
    std::string id;
    bool seen = false;
    const auto read = folder::for_each_line(folder::layout::in(folder_, folder::layout::ids),
                                            [&](std::string_view line, std::uint64_t number) {
                                                if (number != row + 1) {
                                                    return result<void>();
                                                }
                                                const auto object = text::object_of(line);
                                                id = object ? text::text_of(*object, "id") : std::string();
                                                seen = true;
                                                return result<void>(found());
                                            });
    if (!read && !seen) {
        return read.error();
    }
    return id;
}

result<void> row_prover::refuse_failed(std::uint64_t row) const {
    return folder::for_each_line(
        folder::layout::in(folder_, folder::layout::failed), [row](std::string_view line, std::uint64_t) {
            const auto object = text::object_of(line);
            if (!object || text::number_of(*object, "row") != row) {
                return result<void>();
            }
            if (object->contains("blank")) {
                return result<void>(refused("row " + std::to_string(row) + " is a blank line and has no numbers"));
            }
            return result<void>(refused("row " + std::to_string(row) + " failed and has no numbers: " +
                                        text::printable(text::text_of(*object, "message"))));
        });
}

result<void> row_prover::read_rows(std::uint64_t first, std::uint64_t end, std::vector<std::byte>& into) {
    return embeddings_.read_rows(first, end, [&into](std::span<const float> values) -> result<void> {
        // These are the file's own bytes: the file is little-endian, as this program's machine is.
        const auto bytes = std::as_bytes(values);
        into.insert(into.end(), bytes.begin(), bytes.end());
        return {};
    });
}

result<void> row_prover::find_path(row_part& part) {
    tree_path_builder builder(part.number, {});
    for (std::uint64_t first = 0; first < part.rows; first += hashes_a_block) {
        if (stop_.stop_requested()) {
            return error(errc::cancelled, "interrupted");
        }
        const std::uint64_t count = std::min(hashes_a_block, part.rows - first);
        const auto texts = texts_.read(first, count);
        const auto rows = rows_.read(first, count);
        if (!texts || !rows) {
            return texts ? rows.error() : texts.error();
        }
        if (texts->size() != count * folder::text_digests_bytes || rows->size() != count * folder::row_digest_bytes) {
            return damaged("rows.sha256 or texts.sha256 is too short");
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const digest text = folder::digest_at(texts->subspan(i * folder::text_digests_bytes));
            const digest row = folder::digest_at(rows->subspan(i * folder::row_digest_bytes));
            builder.add(row_leaf(text, row));
            if (first + i == part.number) {
                part.text_sha256 = text;
                part.sha256 = row;
            }
        }
    }
    auto path = builder.finish();
    if (!path || path->root != manifest_.row_root->root) {
        return damaged("rows.sha256 and texts.sha256 do not give the row root of manifest.json");
    }
    part.path = std::move(path->siblings);
    part.root = path->root;
    return {};
}

result<row_part> row_prover::row_part_of(std::uint64_t row) {
    row_part part;
    part.number = row;
    part.rows = embeddings_.rows();
    part.dimensions = embeddings_.dimensions();
    if (auto read = read_rows(row, row + 1, part.bytes); !read) {
        return read.error();
    }
    if (auto path = find_path(part); !path) {
        return path.error();
    }
    auto id = id_of(row);
    if (!id) {
        return id.error();
    }
    if (!id->empty()) {
        part.id = std::move(*id);
    }
    if (sha256_of(part.bytes) != part.sha256) {
        return damaged("row " + std::to_string(row) + " of embeddings.npy has changed since the run");
    }
    return part;
}

// The row whose job gave the bytes: `row` itself, or the row that it is a copy of.
result<std::uint64_t> row_prover::original_of(std::uint64_t row) const {
    std::uint64_t original = row;
    const auto copies =
        folder::for_each_copied_row(folder_, [&original, row](std::uint64_t copy, std::uint64_t same_as) {
            original = copy == row ? same_as : original;
            return result<void>();
        });
    if (!copies) {
        return copies.error();
    }
    const auto cached = folder::for_each_cached_range(folder_, [original](std::uint64_t first, std::uint64_t end) {
        if (original < first || original >= end) {
            return result<void>();
        }
        return result<void>(refused("row " + std::to_string(original) +
                                    " came from the cache: its receipt is with the run that bought it. Prove it there, "
                                    "or without --platform"));
    });
    if (!cached) {
        return cached.error();
    }
    return original;
}

result<folder::proven_job> row_prover::job_of(std::uint64_t row) const {
    std::optional<folder::proven_job> of;
    const auto read = folder::for_each_proven_job(folder::layout::in(folder_, folder::layout::receipts),
                                                  [&of, row](const folder::proven_job& job) {
                                                      if (!place_in(job, row)) {
                                                          return result<void>();
                                                      }
                                                      of = job;
                                                      return result<void>(found());
                                                  });
    if (!read && !of) {
        return read.error();
    }
    if (!of) {
        return damaged("receipts.jsonl has no job with row " + std::to_string(row));
    }
    if (of->receipt_text.empty() || !of->results) {
        return refused("the run did not keep the receipt of job " + of->job_id +
                       " (--verify none or hash): only a proof without --platform can be made");
    }
    return std::move(*of);
}

/// Gives the bytes of the chunk that has the row.
result<std::vector<std::byte>> row_prover::add_output(const folder::proven_job& job, std::uint64_t row_in_job,
                                                      offline_evidence& evidence) {
    std::vector<std::byte> chunk_bytes;
    std::vector<std::byte> bytes;
    output_evidence& output = evidence.output.emplace();
    output.dimensions = embeddings_.dimensions();
    if (auto tiled = check_tiling(evidence.results->chunks, evidence.rows); !tiled) {
        return damaged("the chunks of job " + job.job_id + " do not make up its rows: " + tiled.error().message);
    }
    // The chunks follow each other, so together their rows are the job's, each once, from the first to the last.
    folder::row_cursor rows(job.rows);
    for (const expected_chunk& chunk : evidence.results->chunks) {
        if (stop_.stop_requested()) {
            return error(errc::cancelled, "interrupted");
        }
        bytes.clear();
        for (std::uint64_t left = chunk.row_end - chunk.row_start; left > 0;) {
            const auto [first, end] = rows.take(left);
            if (auto read = read_rows(first, end, bytes); !read) {
                return read.error();
            }
            left -= end - first;
        }
        output.rows += chunk.row_end - chunk.row_start;
        output.bytes += bytes.size();
        output.chunk_digests.push_back(sha256_of(bytes));
        if (chunk.row_start <= row_in_job && row_in_job < chunk.row_end) {
            chunk_bytes = bytes;
        }
    }
    return chunk_bytes;
}

proof_result<platform_part> row_prover::platform_part_of(std::uint64_t row, const account_pins& pins) {
    const auto original = original_of(row);
    if (!original) {
        return original.error();
    }
    const auto job = job_of(*original);
    if (!job) {
        return job.error();
    }
    auto evidence = evidence_of(*job, run_facts_recorded(manifest_), &texts_);
    if (!evidence) {
        return evidence.error();
    }
    if (evidence->inputs->size() != job->row_count()) {
        return damaged("texts.sha256 is too short");
    }
    platform_pieces pieces;
    pieces.row_in_job = *place_in(*job, *original);
    auto bytes = add_output(*job, pieces.row_in_job, *evidence);
    if (!bytes) {
        return bytes.error();
    }
    const offline_report report = verify_receipt_offline(job->receipt_text, *evidence, pins);
    pieces.receipt_text = job->receipt_text;
    pieces.evidence = &*evidence;
    pieces.report = &report;
    pieces.of_row = *original;
    pieces.chunk_bytes = std::move(*bytes);
    auto part = make_platform_part(std::move(pieces));
    if (part) {
        return std::move(*part);
    }
    error why = part.error();
    if (why.kind != errc::bad_input) {
        return why;
    }
    // The evidence is whole, so this is a check that cannot be made.
    why.message += ". Where it is known which schemes the account's receipts follow, --pins FILE says so";
    return proof_error(std::move(why), proof_obstacle::not_checkable);
}

proof_result<row_proof> row_prover::prove(std::uint64_t row, bool platform, const scheme_pins& known) {
    if (row >= embeddings_.rows()) {
        return error(errc::invalid_argument, "there is no row " + std::to_string(row) + ": the folder has " +
                                                 text::counted(embeddings_.rows(), "row", "rows") +
                                                 ", the first is row 0");
    }
    if (auto fine = refuse_failed(row); !fine) {
        return fine.error();
    }
    auto part = row_part_of(row);
    if (!part) {
        return part.error();
    }
    row_proof proof;
    proof.row = std::move(*part);
    if (platform) {
        account_pins pins = known.of(pins_key(manifest_.service, manifest_.account_id));
        auto service = platform_part_of(row, pins == account_pins() ? manifest_.pins : pins);
        if (!service) {
            return service.error();
        }
        proof.platform = std::move(*service);
    }
    row_proof_expectations expected;
    expected.root = manifest_.row_root->root;
    const auto report = check_row_proof_text(proof.to_json(), expected);
    // Somebody who knows the account judges what the trees show (row_proof.hpp); the proof must at least fit.
    if (const row_proof_check* wrong = report.first_failed()) {
        return error(errc::verification_failed, "the proof would not hold: " + wrong->name + ": " + wrong->reason);
    }
    return proof;
}

}  // namespace vembed::audit

namespace vembed {

row_proof_result prove_row(const std::string& folder, std::uint64_t row, const prove_row_options& options) {
    auto prover = audit::row_prover::open(folder, options.stop);
    if (!prover) {
        return prover.error();
    }
    return prover->prove(row, options.platform, options.known);
}

row_proof_result prove_row(const std::string& folder, std::string_view id, const prove_row_options& options) {
    auto prover = audit::row_prover::open(folder, options.stop);
    if (!prover) {
        return prover.error();
    }
    const auto row = prover->row_of_id(id);
    if (!row) {
        return row.error();
    }
    return prover->prove(*row, options.platform, options.known);
}

result<row_proof_report> check_row_proof_file(const std::string& path, const row_proof_expectations& expected) {
    const auto text = storage::read_beginning(path, row_proof_bytes_max + 1);
    if (!text) {
        return text.error();
    }
    return check_row_proof_text(*text, expected);
}

}  // namespace vembed
