#pragma once
/// @file
/// A row proof: a small JSON file with which anybody can check one row of a folder, with nothing else at hand.
///
/// Part one, "row": this text has this row. It stands on the word of whoever published the row root (the folder's
/// owner): the path leads from the text's and the row's SHA-256 to that root.
///
/// Part two, "platform", if it was asked for: the chunk of a job that holds the row, and the paths from it to the
/// roots of the job's receipt. It stands on the word of the service's receipt: the receipt commits to the chunk's
/// bytes, whether the service re-executed that chunk or not. It does not say which rows a chunk has: that is the
/// service's list, by the word of whoever made the proof; what ties this text to this row is part one. Receipts are not
/// signed, so neither part shows origin.
///
/// The format, version 1. All members are there, null if that is allowed, and no others; their order and white space
/// are free.
///
///     {"vembed_row_proof": 1,
///      "row": {"number": N, "rows": N, "id": S or null, "text_sha256": H, "dimensions": N, "bytes": B, "sha256": H,
///              "path": [H…], "root": H},
///      "platform": null or {
///        "job_id": S, "receipt_id": S, "receipt": S, "receipt_hash": null or {"scheme": S, "basis": S},
///        "of_row": N, "row_in_job": N,
///        "chunk": {"row_start": N, "row_end": N, "selected_for_verification": true or false,
///                  "bytes": B, "commitment": H, "coding": S, "basis": S},
///        "outputs_root": P, "inputs_root": P or null, "verification_attestation": P or null}}
///
/// N: 0 to 999999999999999, digits only. H: 64 lower-case hex digits. B: base64 with padding (RFC 4648, section 4),
/// of float32 numbers, little-endian. S: text. P: a leaf's place in a tree:
/// {"scheme": S, "basis": S, "index": N, "size": N, "leaf": H, "path": [H…]}.
///
/// - The row root is RFC 6962's: a leaf is SHA-256(0x00 ‖ text_sha256 ‖ sha256), `sha256` that of the row's bytes; a
///   node is SHA-256(0x01 ‖ left ‖ right). Row `number` is leaf `number` of `rows`.
/// - "receipt" is the receipt's text exactly as the service sent it, in which the numbers must be N as well, and
///   receipt_id, job_id, spec_hash, inputs_root, outputs_root and receipt_hash texts; so must verification_attestation
///   be, if it is there and not null. "job_id" and "receipt_id" are not empty.
/// - The chunk's number is "index" of outputs_root. Row row_in_job of the job is row row_in_job - row_start of the
///   chunk's bytes, and "index" of inputs_root. "of_row" is the folder's row that the job was for: another than
///   "number" if that row is a copy of it (same text, same bytes).
/// - Schemes and encodings are the names of <vembed/verify/schemes.hpp>, paths those of <vembed/verify/tree_proof.hpp>.
///   The leaf of outputs_root and of verification_attestation is made of the chunk's commitment, that of inputs_root of
///   the text. Leaf encoding leaf-00 of a text is the one that cannot be made from text_sha256: it takes the text
///   itself. If several schemes give the value, the first of the registry is named.
/// - "basis" is what the scheme stands on, as whoever made the proof saw it: "pinned" if receipts of the account were
///   known to follow it (by the maker's pins or the folder's manifest), else "implied" (encoding sha256 only) or
///   "assumed". It is the maker's word, as the scheme's name is: the checker takes only the checker's own pins for
///   known.
/// - A tree keeps data and nodes apart if its leaves are leaf-00 or leaf-00-digest and its nodes node-01. In any other,
///   the bytes under a leaf or node may be shown as a chunk or text, in a path of fewer or more steps or under another
///   leaf encoding; only a checker that knows which scheme the account's receipts follow can exclude that. So a path in
///   such a tree that fits is not verified without pins (nor by check_row_proof.py, which has none). If the scheme is
///   known to be leaf-digest with node-plain or node-hex, a chunk of at most 128 bytes may still be a node. If the
///   scheme of inputs_root is known to be leaf-plain, or leaf-00 with node-plain, a text may still be a node: one of 64
///   bytes (63 under leaf-00) with node-plain, of 128 hex digits with node-hex, of 65 bytes that begin with 0x01 with
///   node-01. So a path in such a tree is verified only if the text is at hand and is none of these.
/// - "selected_for_verification" is what the service listed for the chunk. verification_attestation, if it is given,
///   binds that to the receipt: a path from the commitment to the receipt's field of that name.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/sha256.hpp>
#include <vembed/verify/tree_proof.hpp>

namespace vembed {

/// Limits of this reader; another one may have others. Lengths of texts are in bytes of UTF-8.
inline constexpr std::size_t row_proof_bytes_max = std::size_t{64} << 20;
inline constexpr std::uint64_t row_proof_number_max = 999'999'999'999'999;
inline constexpr std::uint64_t row_proof_dimensions_max = 65'536;
inline constexpr std::size_t row_proof_id_bytes_max = 65'536;
inline constexpr std::size_t row_proof_name_bytes_max = 256;  ///< Of job and receipt ids, schemes, encodings.
inline constexpr std::size_t row_proof_depth_max = 16;        ///< Nested arrays and objects, in file and receipt each.
inline constexpr std::size_t row_proof_values_max = 65'536;   ///< Values, in file and receipt each.

/// Part one.
class row_part {
public:
    std::uint64_t number = 0;
    std::uint64_t rows = 0;  ///< The folder's number of rows.
    std::optional<std::string> id;
    digest text_sha256{};
    std::uint64_t dimensions = 0;
    std::vector<std::byte> bytes;  ///< The row: dimensions float32, little-endian.
    digest sha256{};               ///< The SHA-256 of `bytes`.
    std::vector<digest> path;
    digest root{};

    row_part() = default;
    friend bool operator==(const row_part&, const row_part&) = default;
};

/// A scheme or encoding by its name, which this version need not know, and its basis.
class based_scheme {
public:
    std::string scheme;
    check_basis basis = check_basis::assumed;  ///< assumed, pinned or, for a commitment's encoding, implied.

    based_scheme() = default;
    based_scheme(std::string name, check_basis on) : scheme(std::move(name)), basis(on) {}
    friend bool operator==(const based_scheme&, const based_scheme&) = default;
};

/// A leaf's place in one of the receipt's trees.
class tree_place {
public:
    based_scheme tree;
    std::uint64_t index = 0;
    std::uint64_t size = 0;
    digest leaf{};
    std::vector<digest> path;

    tree_place() = default;
    friend bool operator==(const tree_place&, const tree_place&) = default;
};

/// The chunk that holds the row.
class chunk_part {
public:
    std::uint64_t row_start = 0;  ///< Rows [row_start, row_end) of the job.
    std::uint64_t row_end = 0;
    bool selected_for_verification = false;
    std::vector<std::byte> bytes;
    digest commitment{};
    based_scheme encoding;

    chunk_part() = default;
    friend bool operator==(const chunk_part&, const chunk_part&) = default;
};

/// Part two.
class platform_part {
public:
    std::string job_id;
    std::string receipt_id;
    std::string receipt;
    std::optional<based_scheme> receipt_hash;
    std::uint64_t of_row = 0;
    std::uint64_t row_in_job = 0;
    chunk_part chunk;
    tree_place outputs_root;
    std::optional<tree_place> inputs_root;
    std::optional<tree_place> verification_attestation;

    platform_part() = default;
    friend bool operator==(const platform_part&, const platform_part&) = default;
};

/// The proof as a value.
class row_proof {
public:
    row_part row;
    std::optional<platform_part> platform;

    row_proof() = default;

    /// The proof as one line. from_json will not read it if a text is not UTF-8 or a limit of the format is passed.
    [[nodiscard]] std::string to_json() const;

    /// Reads the format above, strictly. errc::protocol, saying what is wrong: not JSON, a member missing, doubled or
    /// not known, another version, a number that is not N, upper-case hex, base64 that another text stands for as well,
    /// lone surrogates, a limit passed.
    static result<row_proof> from_json(std::string_view text);

    friend bool operator==(const row_proof&, const row_proof&) = default;
};

/// What part two is made of.
class platform_pieces {
public:
    std::string_view receipt_text;               ///< The receipt as received.
    const offline_evidence* evidence = nullptr;  ///< With results and output; with inputs if inputs_root is wanted.
    const offline_report* report = nullptr;      ///< What verify_receipt_offline says of the two.
    std::uint64_t of_row = 0;
    std::uint64_t row_in_job = 0;
    std::vector<std::byte> chunk_bytes;  ///< The bytes of the chunk that holds row_in_job.

    platform_pieces() = default;
};

/// Makes part two of a proof. verification_failed if a check of the report failed; bad_input if the checks that the
/// part rests on (ids, ranges, output_commitment, outputs_root) are not verified, for example because no known scheme
/// explains them: such a proof would show nothing. Anything else that is not verified (inputs_root, receipt_hash,
/// verification_attestation) is left out.
result<platform_part> make_platform_part(platform_pieces pieces);

/// One finding on a proof.
class row_proof_check {
public:
    std::string name;
    check_verdict verdict = check_verdict::not_checkable;
    std::string basis;     ///< "recorded" (by the folder's owner), "given" (by whoever checks), else as offline_check:
                           ///< "pinned:" by the pins of whoever checks, whatever the proof says.
    bool required = true;  ///< Without it the proof does not hold. False: it was not claimed, or not asked for.
    std::string reason;

    row_proof_check() = default;
    row_proof_check(std::string_view check_name, check_verdict found, std::string on, std::string why,
                    bool is_required = true)
        : name(check_name), verdict(found), basis(std::move(on)), required(is_required), reason(std::move(why)) {}
};

/// The checks' names in the order of every report. A file that cannot be read has the first and the last alone; a proof
/// without part two has none of those from receipt_form to verification_attestation; if the receipt cannot be read,
/// receipt_form is the only one of them.
inline constexpr std::string_view row_proof_check_names[] = {
    "proof_form",                ///< It is a row proof of this version.
    "row_bytes",                 ///< The row has its dimensions and its SHA-256.
    "row_root",                  ///< Text and row are leaf `number` of the tree with the row root.
    "expected_root",             ///< The row root (and the number of rows) is the one that was given.
    "text",                      ///< The text that was given has the proof's SHA-256.
    "receipt_form",              ///< The receipt is JSON with the documented fields.
    "receipt_ids",               ///< It is the receipt and the job that the proof names.
    "receipt_hash",              ///< The receipt's hash is over the receipt.
    "output_commitment",         ///< The chunk's bytes are the committed ones.
    "row_in_chunk",              ///< The row's bytes stand at its place in the chunk.
    "outputs_root",              ///< The chunk's commitment is a leaf of the receipt's outputs_root.
    "inputs_root",               ///< The text's leaf, at the row's place, is one of the receipt's inputs_root.
    "text_leaf",                 ///< That leaf is of the text whose SHA-256 part one has.
    "verification_attestation",  ///< The chunk's commitment is a leaf of the receipt's verification_attestation.
    "origin",                    ///< Who issued the receipt: never checkable.
};

/// What whoever checks knows from elsewhere.
class row_proof_expectations {
public:
    std::optional<digest> root;         ///< The row root as the folder's owner published it.
    std::optional<std::uint64_t> rows;  ///< How many rows were published with it. Checked with `root` only.
    std::optional<std::string> text;    ///< The row's text, byte by byte.

    /// What is known of the schemes of the account whose receipt the proof has. What is pinned counts instead of what
    /// the proof names. Empty: nothing is known, and every scheme is the proof's own word.
    account_pins pins;

    row_proof_expectations() = default;
};

class row_proof_report {
public:
    std::vector<row_proof_check> checks;
    std::string subject;  ///< Which row, in words; empty if the file could not be read.
    std::string sample;   ///< Whether the chunk was re-executed, in words; empty without part two.

    row_proof_report() = default;

    /// `failed` if a check failed; otherwise `not_checkable` if a required check is not verified.
    [[nodiscard]] check_verdict verdict() const;
    /// Every required check is verified and none failed.
    [[nodiscard]] bool verified() const { return verdict() == check_verdict::verified; }
    /// The first check that failed; null if none did.
    [[nodiscard]] const row_proof_check* first_failed() const;
    /// The check of that name; null if there is none.
    [[nodiscard]] const row_proof_check* find(std::string_view name) const;
    /// A page for people: the checks of each part under whose word it stands; origin_line as the last line.
    [[nodiscard]] std::string text() const;
};

/// Checks a proof against itself and `expected`. A root is not checkable if its scheme is not known to this version, if
/// it is none of those that the pins leave open, if it does not keep data and nodes apart and is not pinned, or if it
/// is pinned and chunk or text may still be a node. Any value gives a report; throws std::bad_alloc only.
row_proof_report check_row_proof(const row_proof& proof, const row_proof_expectations& expected = {});

/// Checks the proof in a file's text, which may be anything.
row_proof_report check_row_proof_text(std::string_view text, const row_proof_expectations& expected = {});

}  // namespace vembed
