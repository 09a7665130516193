#include <vembed/verify/row_proof.hpp>

#include <algorithm>
#include <utility>

#include <vembed/verify/row_root.hpp>

#include "verify/json/strict_json.hpp"
#include "verify/receipt/receipt_fields.hpp"

namespace vembed {
namespace {

using verify::quoted;

// The largest number of bytes that a node is hashed over: two hashes in hex.
constexpr std::size_t node_bytes_max = 128;

// The scheme that a value is checked under.
class scheme_choice {
public:
    std::string name;
    std::string basis;
    bool pinned = false;    // The pins of the person who checks name the scheme; if not, only the proof names it.
    std::string objection;  // The reason why no scheme can be used; empty if one can.
    std::string remark;     // A statement of the proof about the scheme that is wrong, or cannot be confirmed here.

    scheme_choice() = default;
};

/// One run of all checks over one proof.
class proof_run {
public:
    proof_run(const row_proof& proof, const row_proof_expectations& expected) : proof_(proof), expected_(expected) {}

    row_proof_report take() {
        add("proof_form", true, "recorded", "a row proof of version 1");
        check_row();
        if (proof_.platform) {
            check_platform(*proof_.platform);
        }
        leave("origin", "specified", "receipts are not signed", false);
        describe();
        return std::move(report_);
    }

private:
    void add(std::string_view name, bool good, std::string basis, std::string why) {
        const check_verdict verdict = good ? check_verdict::verified : check_verdict::failed;
        report_.checks.emplace_back(name, verdict, std::move(basis), std::move(why));
    }
    void leave(std::string_view name, std::string basis, std::string why, bool required) {
        report_.checks.emplace_back(name, check_verdict::not_checkable, std::move(basis), std::move(why), required);
    }

    void check_row();
    void check_expected_root();
    void check_text();
    void check_platform(const platform_part& platform);
    bool read_receipt(const platform_part& platform);
    void check_receipt_hash(const platform_part& platform);
    void check_commitment(const chunk_part& chunk);
    void check_row_in_chunk(const platform_part& platform);
    [[nodiscard]] scheme_choice choose(pin_kind kind, const based_scheme& named) const;
    void check_place(pin_kind kind, const tree_place& place, const std::optional<digest>& commitment,
                     std::optional<std::uint64_t> index);
    void judge_place(pin_kind kind, const tree_scheme& scheme, const scheme_choice& choice, const std::string& at);
    void check_inputs(const platform_part& platform);
    void check_text_leaf(const tree_place& place);
    void check_attestation(const platform_part& platform);
    void describe();

    const row_proof& proof_;
    const row_proof_expectations& expected_;
    verify::receipt_fields receipt_;
    row_proof_report report_;
};

std::optional<tree_scheme> known_tree(pin_kind kind, const std::string& name) {
    const auto scheme = tree_scheme_named(name);
    const auto& schemes = kind == pin_kind::inputs_root ? input_tree_schemes() : output_tree_schemes();
    // The format allows only the names in the list, not the alternative names that the registry also knows.
    return scheme && std::ranges::find(schemes, *scheme) != schemes.end() ? scheme : std::nullopt;
}

std::string unknown_scheme(const std::string& name) {
    return "scheme " + quoted(name) + " is not known to this version";
}

// True if prefixes distinguish leaves, nodes and the data under them.
bool keeps_apart(const tree_scheme& scheme) {
    const bool leaf = scheme.leaf == leaf_encoding::prefixed || scheme.leaf == leaf_encoding::prefixed_digest;
    return leaf && scheme.node == node_encoding::prefixed;
}

// True if the bytes of a text's leaf may also be those of a node, so that a node may be passed off as a text. Without
// the text, it is true if such texts exist.
bool may_be_node(const std::optional<std::string>& text, const tree_scheme& scheme) {
    const bool prefixed = scheme.leaf == leaf_encoding::prefixed;
    if ((!prefixed && scheme.leaf != leaf_encoding::plain) || (prefixed && scheme.node != node_encoding::plain)) {
        // The leaf is hashed over 33 or 64 bytes made of a digest, or begins with a byte that no such node begins with.
        return false;
    }
    if (!text) {
        return true;
    }
    const std::size_t size = text->size() + (prefixed ? 1 : 0);
    switch (scheme.node) {
        case node_encoding::prefixed: return size == 65 && text->front() == 1;
        case node_encoding::plain: return size == 64;
        case node_encoding::hex: return size == 128 && text->find_first_not_of("0123456789abcdef") == std::string::npos;
    }
    return true;
}

// The pins of the person who checks have priority over the scheme that the proof names. A true proof names the first of
// several schemes that give its values; a forged one names any scheme that fits.
scheme_choice proof_run::choose(pin_kind kind, const based_scheme& named) const {
    const std::vector<std::string>& known = expected_.pins.candidates(kind);
    scheme_choice choice;
    choice.pinned = known.size() == 1;
    choice.name = choice.pinned ? known.front() : named.scheme;
    const bool documented =
        kind == pin_kind::output_commitment && choice.name == name_of(commitment_encoding::sha256) && !choice.pinned;
    choice.basis = documented ? "implied" : (choice.pinned ? "pinned:" : "assumed:") + choice.name;
    if (choice.pinned && choice.name != named.scheme) {
        choice.remark = "; the proof names scheme " + quoted(named.scheme);
    } else if (!choice.pinned && named.basis == check_basis::pinned) {
        choice.remark = "; that it is pinned is the word of whoever made the proof";
    }
    if (!choice.pinned && !known.empty() && std::ranges::find(known, named.scheme) == known.end()) {
        choice.objection = "scheme " + quoted(named.scheme) + " is none of the " + std::to_string(known.size()) +
                           " that the account may follow by the pins given";
    }
    return choice;
}

void proof_run::check_row() {
    const row_part& row = proof_.row;
    const digest actual = sha256_of(row.bytes);
    const bool whole = row.bytes.size() == 4 * row.dimensions && row.dimensions <= row_proof_dimensions_max;
    add("row_bytes", whole && actual == row.sha256, "recorded",
        !whole ? "the row has " + std::to_string(row.bytes.size()) + " bytes, which is not " +
                     std::to_string(row.dimensions) + " float32"
        : actual == row.sha256
            ? std::to_string(row.dimensions) + " float32 with SHA-256 " + to_hex(actual)
            : "the row's bytes have SHA-256 " + to_hex(actual) + ", the proof says " + to_hex(row.sha256));
    const auto root = fold_tree_path(row.number, row.rows, row_leaf(row.text_sha256, row.sha256), row.path, {});
    add("row_root", root == row.root, "recorded",
        root == row.root ? "text and row lead to row root " + to_hex(row.root)
        : root           ? "text and row lead to " + to_hex(*root) + ", not to the row root " + to_hex(row.root)
               : "the path is not one of row " + std::to_string(row.number) + " of " + std::to_string(row.rows));
    check_expected_root();
    check_text();
}

void proof_run::check_expected_root() {
    constexpr std::string_view name = "expected_root";
    const row_part& row = proof_.row;
    if (!expected_.root) {
        leave(name, "none", "no row root was given: compare this one with the one that the folder's owner published",
              false);
    } else if (*expected_.root != row.root) {
        add(name, false, "given", "the row root is not the one given, " + to_hex(*expected_.root));
    } else if (expected_.rows && *expected_.rows != row.rows) {
        add(name, false, "given",
            "the proof is of " + std::to_string(row.rows) + " rows, " + std::to_string(*expected_.rows) +
                " were given");
    } else {
        add(name, true, "given",
            expected_.rows ? "the row root and the number of rows are those given"
                           : "the row root is the one given; the number of rows is the proof's own word");
    }
}

void proof_run::check_text() {
    constexpr std::string_view name = "text";
    if (!expected_.text) {
        leave(name, "none", "no text was given: the proof has its SHA-256 alone", false);
        return;
    }
    const std::string& text = *expected_.text;
    const bool same = sha256_of(text) == proof_.row.text_sha256;
    const bool line_end = !same && text.ends_with('\n') &&
                          sha256_of(std::string_view(text).substr(0, text.size() - 1)) == proof_.row.text_sha256;
    add(name, same, "given",
        same       ? "the text given has the proof's SHA-256"
        : line_end ? "the text given has a line end that the row's text does not have: give it without"
                   : "the text given is another one: its SHA-256 is " + to_hex(sha256_of(text)));
}

bool proof_run::read_receipt(const platform_part& platform) {
    constexpr std::string_view name = "receipt_form";
    const auto parsed = verify::read_strict_json(platform.receipt);
    if (!parsed || !parsed->is_object()) {
        add(name, false, "specified", parsed ? "the receipt is no JSON object" : parsed.error().message);
        return false;
    }
    auto fields = verify::documented_fields(parsed->get_object());
    if (!fields) {
        add(name, false, "specified", fields.error().message);
        return false;
    }
    receipt_ = std::move(*fields);
    add(name, true, "specified",
        "JSON with the documented fields; it names the specification " + quoted(receipt_.spec_hash));
    return true;
}

void proof_run::check_receipt_hash(const platform_part& platform) {
    constexpr std::string_view name = "receipt_hash";
    if (!platform.receipt_hash) {
        leave(name, "none", "the proof names no scheme for it", false);
        return;
    }
    const scheme_choice choice = choose(pin_kind::receipt_hash, *platform.receipt_hash);
    const auto scheme = hash_scheme_named(choice.name);
    if (!scheme || !choice.objection.empty()) {
        leave(name, "none", scheme ? choice.objection : unknown_scheme(choice.name), true);
        return;
    }
    const auto hash = receipt_hash(platform.receipt, *scheme);
    const bool same = hash && *hash == receipt_.receipt_hash;
    add(name, same, choice.basis,
        (same ? "recomputed from the receipt's own fields"
              : "the receipt says " + quoted(receipt_.receipt_hash) + "; recomputed it is " +
                    (hash ? quoted(*hash) : "nothing: " + hash.error().message)) +
            choice.remark);
}

void proof_run::check_commitment(const chunk_part& chunk) {
    constexpr std::string_view name = "output_commitment";
    const scheme_choice choice = choose(pin_kind::output_commitment, chunk.encoding);
    const auto encoding = commitment_encoding_named(choice.name);
    if (!encoding || !choice.objection.empty()) {
        leave(name, "none", encoding ? choice.objection : unknown_scheme(choice.name), true);
        return;
    }
    const bool same = chunk_commitment(sha256_of(chunk.bytes), *encoding) == to_hex(chunk.commitment);
    add(name, same, choice.basis,
        std::string("the chunk's bytes") + (same ? " have" : " do not have") + " the commitment " +
            to_hex(chunk.commitment) + choice.remark);
}

void proof_run::check_row_in_chunk(const platform_part& platform) {
    constexpr std::string_view name = "row_in_chunk";
    const chunk_part& chunk = platform.chunk;
    const row_part& row = proof_.row;
    const std::uint64_t row_bytes = 4 * row.dimensions;
    const bool inside = chunk.row_start <= platform.row_in_job && platform.row_in_job < chunk.row_end;
    // The code divides because a product could overflow: a real chunk has far fewer rows than these numbers can hold.
    const bool tiled = inside && row_bytes > 0 && chunk.bytes.size() % row_bytes == 0 &&
                       chunk.bytes.size() / row_bytes == chunk.row_end - chunk.row_start;
    if (!tiled) {
        add(name, false, "specified",
            "row " + std::to_string(platform.row_in_job) + " of the job is not in rows [" +
                std::to_string(chunk.row_start) + ", " + std::to_string(chunk.row_end) + "), or those are not the " +
                std::to_string(chunk.bytes.size()) + " bytes of the chunk");
        return;
    }
    const auto here = std::span(chunk.bytes).subspan((platform.row_in_job - chunk.row_start) * row_bytes, row_bytes);
    const bool same = std::ranges::equal(here, row.bytes);
    add(name, same, "specified",
        "row " + std::to_string(platform.row_in_job) + " of the job, in the chunk's rows [" +
            std::to_string(chunk.row_start) + ", " + std::to_string(chunk.row_end) + ")" +
            (same ? ", has the row's bytes; which rows the chunk has is what the service listed, receipts do not say"
                  : ", has other bytes than the row"));
}

// `commitment` is the data of the leaf, if that is known. `index` is the leaf's required index.
void proof_run::check_place(pin_kind kind, const tree_place& place, const std::optional<digest>& commitment,
                            std::optional<std::uint64_t> index) {
    const std::string_view name = to_string(kind);
    const std::string& claimed = kind == pin_kind::inputs_root    ? receipt_.inputs_root
                                 : kind == pin_kind::outputs_root ? receipt_.outputs_root
                                                                  : receipt_.verification_attestation;
    const scheme_choice choice = choose(kind, place.tree);
    const auto scheme = known_tree(kind, choice.name);
    if (!scheme || !choice.objection.empty()) {
        leave(name, "none", scheme ? choice.objection : unknown_scheme(choice.name), true);
        return;
    }
    const auto root = fold_tree_path(place.index, place.size, place.leaf, place.path, *scheme);
    const std::string at = "leaf " + std::to_string(place.index) + " of " + std::to_string(place.size);
    std::string objection;
    if (commitment && tree_leaf(*commitment, scheme->leaf) != place.leaf) {
        objection = "the leaf is not that of the chunk's commitment";
    } else if (index && *index != place.index) {
        objection = at + " is at another place than the proof's " + std::to_string(*index);
    } else if (!root) {
        objection = "the path is not one of " + at;
    } else if (to_hex(*root) != claimed) {
        objection = at + " leads to " + to_hex(*root) + ", the receipt says " + quoted(claimed);
    }
    if (!objection.empty()) {
        add(name, false, choice.basis, objection + choice.remark);
        return;
    }
    judge_place(kind, *scheme, choice, at);
}

// Judges whether a path that fits proves anything. `at` describes its leaf.
void proof_run::judge_place(pin_kind kind, const tree_scheme& scheme, const scheme_choice& choice,
                            const std::string& at) {
    const std::string_view name = to_string(kind);
    const std::string fits = at + " leads to the receipt's " + std::string(name);
    const bool of_text = kind == pin_kind::inputs_root;
    const bool node_like_chunk = !of_text && scheme.leaf == leaf_encoding::as_digest &&
                                 scheme.node != node_encoding::prefixed &&
                                 proof_.platform->chunk.bytes.size() <= node_bytes_max;
    std::string doubt;
    if (!keeps_apart(scheme) && !choice.pinned) {
        doubt =
            ", but this scheme has no prefixes that keep data and nodes apart: a node or leaf may be passed off as "
            "data, which only known pins of the account exclude (--pins)";
    } else if (node_like_chunk) {
        doubt = ", but under this scheme a node may be passed off as a chunk of so few bytes";
    } else if (of_text && may_be_node(expected_.text, scheme)) {
        doubt = expected_.text ? ", but under this scheme a node may be passed off as a text like this one"
                               : ", but under this scheme a node may be passed off as a text of its form, which only "
                                 "the text itself excludes (--text-file)";
    }
    if (doubt.empty()) {
        add(name, true, choice.basis, fits + choice.remark);
    } else {
        leave(name, choice.basis, fits + doubt + choice.remark, true);
    }
}

void proof_run::check_inputs(const platform_part& platform) {
    if (!platform.inputs_root) {
        leave("inputs_root", "none", "the proof has no path to it", false);
        leave("text_leaf", "none", "the proof has no path to inputs_root", false);
        return;
    }
    check_place(pin_kind::inputs_root, *platform.inputs_root, std::nullopt, platform.row_in_job);
    check_text_leaf(*platform.inputs_root);
}

void proof_run::check_text_leaf(const tree_place& place) {
    constexpr std::string_view name = "text_leaf";
    const scheme_choice choice = choose(pin_kind::inputs_root, place.tree);
    const auto scheme = known_tree(pin_kind::inputs_root, choice.name);
    if (!scheme || !choice.objection.empty()) {
        leave(name, "none", scheme ? choice.objection : unknown_scheme(choice.name), false);
        return;
    }
    input_digests input;
    input.text = proof_.row.text_sha256;
    if (scheme->leaf == leaf_encoding::prefixed) {
        if (!expected_.text) {
            leave(name, choice.basis, "under this scheme it takes the text itself, which was not given", false);
            return;
        }
        input = input_digests(*expected_.text);
    }
    const bool same = tree_leaf(input, scheme->leaf) == place.leaf;
    add(name, same, choice.basis,
        same ? "the leaf of inputs_root is that of the text" : "the leaf of inputs_root is that of another text");
}

void proof_run::check_attestation(const platform_part& platform) {
    constexpr pin_kind kind = pin_kind::verification_attestation;
    if (!platform.verification_attestation) {
        leave(to_string(kind), "none", "the proof has no path to it", false);
        return;
    }
    const tree_place& place = *platform.verification_attestation;
    const scheme_choice choice = choose(kind, place.tree);
    if (known_tree(kind, choice.name) && !platform.chunk.selected_for_verification) {
        add(to_string(kind), false, choice.basis, "the chunk is not one that the service says it re-executed");
        return;
    }
    check_place(kind, place, platform.chunk.commitment, std::nullopt);
}

void proof_run::check_platform(const platform_part& platform) {
    if (!read_receipt(platform)) {
        return;
    }
    const bool ids = receipt_.job_id == platform.job_id && receipt_.receipt_id == platform.receipt_id;
    add("receipt_ids", ids, "specified",
        ids ? "receipt " + quoted(platform.receipt_id) + " of job " + quoted(platform.job_id)
            : "it is receipt " + quoted(receipt_.receipt_id) + " of job " + quoted(receipt_.job_id) +
                  ", the proof names " + quoted(platform.receipt_id) + " and " + quoted(platform.job_id));
    check_receipt_hash(platform);
    check_commitment(platform.chunk);
    check_row_in_chunk(platform);
    check_place(pin_kind::outputs_root, platform.outputs_root, platform.chunk.commitment, std::nullopt);
    check_inputs(platform);
    check_attestation(platform);
}

void proof_run::describe() {
    const row_part& row = proof_.row;
    report_.subject = "row " + std::to_string(row.number) + " of " + std::to_string(row.rows) +
                      (row.id ? ", id " + quoted(*row.id) : "") + ": " + std::to_string(row.dimensions) + " float32";
    if (!proof_.platform) {
        return;
    }
    const platform_part& platform = *proof_.platform;
    const row_proof_check* bound = report_.find("verification_attestation");
    const bool is_bound = bound != nullptr && bound->verdict == check_verdict::verified;
    report_.sample = "chunk " + std::to_string(platform.outputs_root.index) + " of job " + quoted(platform.job_id);
    if (!platform.chunk.selected_for_verification) {
        report_.sample += " was not re-executed: nobody but the service knows how its rows were computed";
    } else {
        report_.sample += is_bound ? " is one that the service says it re-executed, and its receipt commits to that"
                                   : " is one that the service is said to have re-executed; nothing here binds that to "
                                     "its receipt";
    }
    if (platform.of_row != row.number) {
        report_.sample += "; the row is a copy of row " + std::to_string(platform.of_row) + ", whose job this is";
    }
}

}  // namespace

row_proof_report check_row_proof(const row_proof& proof, const row_proof_expectations& expected) {
    return proof_run(proof, expected).take();
}

row_proof_report check_row_proof_text(std::string_view text, const row_proof_expectations& expected) {
    const auto proof = row_proof::from_json(text);
    if (proof) {
        return check_row_proof(*proof, expected);
    }
    row_proof_report report;
    report.checks.emplace_back("proof_form", check_verdict::failed, "recorded", proof.error().message);
    report.checks.emplace_back("origin", check_verdict::not_checkable, "specified", "receipts are not signed", false);
    return report;
}

}  // namespace vembed
