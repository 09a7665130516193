#include <vembed/verify/row_proof.hpp>

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>

#include <vembed/verify/row_root.hpp>

#include "verify/receipt_fields.hpp"
#include "verify/strict_json.hpp"

namespace vembed {
namespace {

namespace json = boost::json;
using verify::quoted;

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
    void check_place(std::string_view name, const tree_place& place, const std::optional<digest>& leaf,
                     const std::vector<tree_scheme>& schemes, std::optional<std::uint64_t> index);
    void check_inputs(const platform_part& platform);
    void check_text_leaf(const tree_place& place);
    void check_attestation(const platform_part& platform);
    void describe();
    [[nodiscard]] std::string field(std::string_view name) const;

    const row_proof& proof_;
    const row_proof_expectations& expected_;
    json::object receipt_;
    row_proof_report report_;
};

std::optional<tree_scheme> known_tree(const std::string& name, const std::vector<tree_scheme>& schemes) {
    const auto scheme = tree_scheme_named(name);
    // Names of the registry that are another name for one of the list are not of the format.
    return scheme && std::ranges::find(schemes, *scheme) != schemes.end() ? scheme : std::nullopt;
}

std::string unknown_scheme(const std::string& name) {
    return "scheme " + quoted(name) + " is not known to this version";
}

std::string basis_of(const based_scheme& scheme) {
    const std::string_view word = scheme.basis == check_basis::pinned ? "pinned:" : "assumed:";
    return scheme.basis == check_basis::implied ? "implied" : std::string(word) + scheme.scheme;
}

// A receipt's field as text; empty where it is none.
std::string proof_run::field(std::string_view name) const {
    const json::value* value = receipt_.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
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
    auto parsed = verify::read_strict_json(platform.receipt);
    if (!parsed || !parsed->is_object()) {
        add(name, false, "specified", parsed ? "the receipt is no JSON object" : parsed.error().message);
        return false;
    }
    receipt_ = std::move(parsed->get_object());
    add(name, true, "specified", "a JSON object; it names the specification " + quoted(field("spec_hash")));
    return true;
}

void proof_run::check_receipt_hash(const platform_part& platform) {
    constexpr std::string_view name = "receipt_hash";
    if (!platform.receipt_hash) {
        leave(name, "none", "the proof names no scheme for it", false);
        return;
    }
    const auto scheme = hash_scheme_named(platform.receipt_hash->scheme);
    const std::string basis = basis_of(*platform.receipt_hash);
    if (!scheme) {
        leave(name, "none", unknown_scheme(platform.receipt_hash->scheme), true);
        return;
    }
    const auto hash = receipt_hash(platform.receipt, *scheme);
    const bool same = hash && *hash == field("receipt_hash");
    add(name, same, basis,
        same ? "recomputed from the receipt's own fields"
             : "the receipt says " + quoted(field("receipt_hash")) + "; recomputed it is " +
                   (hash ? quoted(*hash) : "nothing: " + hash.error().message));
}

void proof_run::check_commitment(const chunk_part& chunk) {
    constexpr std::string_view name = "output_commitment";
    const auto coding = commitment_coding_named(chunk.coding.scheme);
    if (!coding) {
        leave(name, "none", unknown_scheme(chunk.coding.scheme), true);
        return;
    }
    const bool same = chunk_commitment(sha256_of(chunk.bytes), *coding) == to_hex(chunk.commitment);
    add(name, same, basis_of(chunk.coding),
        std::string("the chunk's bytes") + (same ? " have" : " do not have") + " the commitment " +
            to_hex(chunk.commitment));
}

void proof_run::check_row_in_chunk(const platform_part& platform) {
    constexpr std::string_view name = "row_in_chunk";
    const chunk_part& chunk = platform.chunk;
    const row_part& row = proof_.row;
    const std::uint64_t row_bytes = 4 * row.dimensions;
    const bool inside = chunk.row_start <= platform.row_in_job && platform.row_in_job < chunk.row_end;
    // No product: a chunk that is read has far fewer rows than these numbers can say.
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

// `leaf`: what the leaf has to be, where that can be told. `index`: where it has to be.
void proof_run::check_place(std::string_view name, const tree_place& place, const std::optional<digest>& leaf,
                            const std::vector<tree_scheme>& schemes, std::optional<std::uint64_t> index) {
    const auto scheme = known_tree(place.tree.scheme, schemes);
    if (!scheme) {
        leave(name, "none", unknown_scheme(place.tree.scheme), true);
        return;
    }
    const auto root = fold_tree_path(place.index, place.size, place.leaf, place.path, *scheme);
    const std::string at = "leaf " + std::to_string(place.index) + " of " + std::to_string(place.size);
    std::string objection;
    if (leaf && *leaf != place.leaf) {
        objection = "the leaf is not that of the chunk's commitment";
    } else if (index && *index != place.index) {
        objection = at + " is at another place than the proof's " + std::to_string(*index);
    } else if (!root) {
        objection = "the path is not one of " + at;
    } else if (to_hex(*root) != field(name)) {
        objection = at + " leads to " + to_hex(*root) + ", the receipt says " + quoted(field(name));
    }
    add(name, objection.empty(), basis_of(place.tree),
        objection.empty() ? at + " leads to the receipt's " + std::string(name) : objection);
}

void proof_run::check_inputs(const platform_part& platform) {
    if (!platform.inputs_root) {
        leave("inputs_root", "none", "the proof has no path to it", false);
        leave("text_leaf", "none", "the proof has no path to inputs_root", false);
        return;
    }
    check_place("inputs_root", *platform.inputs_root, std::nullopt, input_tree_schemes(), platform.row_in_job);
    check_text_leaf(*platform.inputs_root);
}

void proof_run::check_text_leaf(const tree_place& place) {
    constexpr std::string_view name = "text_leaf";
    const auto scheme = known_tree(place.tree.scheme, input_tree_schemes());
    if (!scheme) {
        leave(name, "none", unknown_scheme(place.tree.scheme), false);
        return;
    }
    input_digests input;
    input.text = proof_.row.text_sha256;
    if (scheme->leaf == leaf_coding::prefixed) {
        if (!expected_.text) {
            leave(name, basis_of(place.tree), "under this scheme it takes the text itself, which was not given", false);
            return;
        }
        input = input_digests(*expected_.text);
    }
    const bool same = tree_leaf(input, scheme->leaf) == place.leaf;
    add(name, same, basis_of(place.tree),
        same ? "the leaf of inputs_root is that of the text" : "the leaf of inputs_root is that of another text");
}

void proof_run::check_attestation(const platform_part& platform) {
    constexpr std::string_view name = "verification_attestation";
    if (!platform.verification_attestation) {
        leave(name, "none", "the proof has no path to it", false);
        return;
    }
    const tree_place& place = *platform.verification_attestation;
    const auto scheme = known_tree(place.tree.scheme, output_tree_schemes());
    if (scheme && !platform.chunk.selected_for_verification) {
        add(name, false, basis_of(place.tree), "the chunk is not one that the service says it re-executed");
        return;
    }
    const auto leaf = scheme ? std::optional(tree_leaf(platform.chunk.commitment, scheme->leaf)) : std::nullopt;
    check_place(name, place, leaf, output_tree_schemes(), std::nullopt);
}

void proof_run::check_platform(const platform_part& platform) {
    if (!read_receipt(platform)) {
        return;
    }
    const bool ids = field("job_id") == platform.job_id && field("receipt_id") == platform.receipt_id;
    add("receipt_ids", ids, "specified",
        ids ? "receipt " + quoted(platform.receipt_id) + " of job " + quoted(platform.job_id)
            : "it is receipt " + quoted(field("receipt_id")) + " of job " + quoted(field("job_id")) +
                  ", the proof names " + quoted(platform.receipt_id) + " and " + quoted(platform.job_id));
    check_receipt_hash(platform);
    check_commitment(platform.chunk);
    check_row_in_chunk(platform);
    const auto outputs = known_tree(platform.outputs_root.tree.scheme, output_tree_schemes());
    const auto leaf = outputs ? std::optional(tree_leaf(platform.chunk.commitment, outputs->leaf)) : std::nullopt;
    check_place("outputs_root", platform.outputs_root, leaf, output_tree_schemes(), std::nullopt);
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
