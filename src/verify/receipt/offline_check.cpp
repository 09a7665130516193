#include <vembed/verify/offline_check.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "verify/receipt/receipt_fields.hpp"
#include "verify/receipt/scheme_question.hpp"

namespace vembed {
namespace {

using verify::quoted;
using verify::receipt_fields;
using verify::scheme_question;

offline_check missing(std::string_view name, check_basis basis, const std::string& what) {
    return {name, check_verdict::not_checkable, basis, what};
}

offline_check judged(std::string_view name, check_basis basis, bool good, std::string why) {
    return {name, good ? check_verdict::verified : check_verdict::failed, basis, std::move(why)};
}

std::string place_of(const expected_chunk& chunk) {
    return "chunk " + std::to_string(chunk.index) + " (rows [" + std::to_string(chunk.row_start) + ", " +
           std::to_string(chunk.row_end) + "))";
}

std::string counted(std::uint64_t count, const std::string& thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

template <class Scheme>
std::vector<std::string> names_of(const std::vector<Scheme>& schemes) {
    std::vector<std::string> names;
    names.reserve(schemes.size());
    for (const Scheme& scheme : schemes) {
        names.push_back(name_of(scheme));
    }
    return names;
}

constexpr std::string_view no_such_receipt = "no receipt is at hand";
constexpr std::string_view unreadable_receipt = "the receipt cannot be read";
constexpr std::string_view no_results = "the job's results are not at hand";

// Compares chunks' digests with the listed commitments under one encoding.
class compared {
public:
    std::size_t matches = 0;
    std::optional<std::size_t> first_bad;
    std::optional<std::size_t> belongs_to;  // The chunk whose commitment fits the bytes of the first bad chunk.
    bool misplaced = false;                 // Some chunk's bytes have another chunk's commitment.

    compared() = default;
};

// One run of all checks over one receipt.
class offline_run {
public:
    offline_run(std::optional<std::string_view> receipt_text, const offline_evidence& evidence,
                const account_pins& pins)
        : text_(receipt_text), evidence_(evidence), pins_(pins), learned_(pins) {
        // The byte order mark is no part of the JSON, so it is not hashed.
        constexpr std::string_view mark = "\xef\xbb\xbf";
        if (text_ && text_->starts_with(mark)) {
            text_->remove_prefix(mark.size());
        }
    }

    offline_report take();

private:
    void add(offline_check check) { report_.checks.push_back(std::move(check)); }
    void check_ids();
    void check_results_job();
    void check_specification();
    void check_ranges();
    void check_shape();
    void check_commitments();
    void check_inputs_root();
    void check_receipt_hash();
    void check_tree(pin_kind kind, std::string receipt_fields::*claimed, bool sampled_only);
    void keep_what_was_learned();
    void list_chunks();

    [[nodiscard]] std::string_view no_receipt() const { return text_ ? unreadable_receipt : no_such_receipt; }
    [[nodiscard]] std::string objection_to_numbering() const;
    [[nodiscard]] compared compare(commitment_encoding encoding) const;
    [[nodiscard]] offline_check judge_commitments(std::size_t absent);
    [[nodiscard]] std::string describe(const compared& seen) const;
    [[nodiscard]] offline_check objection_to_leaf(pin_kind kind, const expected_chunk& chunk) const;
    [[nodiscard]] const std::vector<expected_chunk>& chunks() const { return evidence_.results->chunks; }

    std::optional<std::string_view> text_;
    const offline_evidence& evidence_;
    const account_pins& pins_;
    account_pins learned_;
    std::optional<receipt_fields> receipt_;
    offline_report report_;
};

void offline_run::check_ids() {
    if (!text_) {
        for (const std::string_view name : {"receipt_form", "receipt_job", "receipt_id"}) {
            add(missing(name, check_basis::specified, std::string(no_receipt())));
        }
        return;
    }
    auto fields = verify::read_receipt_fields(*text_);
    if (fields) {
        receipt_ = std::move(*fields);
    }
    add(judged("receipt_form", check_basis::specified, receipt_.has_value(),
               receipt_ ? "JSON with the documented fields" : fields.error().message));
    if (!receipt_) {
        add(missing("receipt_job", check_basis::specified, std::string(no_receipt())));
        add(missing("receipt_id", check_basis::specified, std::string(no_receipt())));
        return;
    }
    const bool same_job = receipt_->job_id == evidence_.job_id;
    add(judged("receipt_job", check_basis::specified, same_job,
               same_job ? "the receipt names job " + quoted(evidence_.job_id)
                        : "the receipt is that of job " + quoted(receipt_->job_id) + ", not of job " +
                              quoted(evidence_.job_id)));
    if (evidence_.receipt_id.empty()) {
        add(missing("receipt_id", check_basis::specified, "which receipt the job named is not known"));
        return;
    }
    const bool same_id = receipt_->receipt_id == evidence_.receipt_id;
    add(judged(
        "receipt_id", check_basis::specified, same_id,
        same_id ? "it is receipt " + quoted(evidence_.receipt_id)
                : "it is receipt " + quoted(receipt_->receipt_id) + ", the job named " + quoted(evidence_.receipt_id)));
}

void offline_run::check_results_job() {
    if (!evidence_.results) {
        add(missing("results_job", check_basis::specified, std::string(no_results)));
        return;
    }
    const results_evidence& results = *evidence_.results;
    const std::string expected = !evidence_.receipt_id.empty() ? evidence_.receipt_id
                                 : receipt_                    ? receipt_->receipt_id
                                                               : std::string();
    if (!results.job_id.empty() && results.job_id != evidence_.job_id) {
        add(judged(
            "results_job", check_basis::specified, false,
            "the results are those of job " + quoted(results.job_id) + ", not of job " + quoted(evidence_.job_id)));
    } else if (results.receipt_id && !expected.empty() && *results.receipt_id != expected) {
        add(judged("results_job", check_basis::specified, false,
                   "the results name receipt " + quoted(*results.receipt_id) + ", not " + quoted(expected)));
    } else {
        add(judged("results_job", check_basis::specified, true,
                   results.job_id.empty() ? "the results were asked for by the job's id" : "the results name the job"));
    }
}

void offline_run::check_specification() {
    if (!receipt_ || !evidence_.spec_hash) {
        add(missing("specification", check_basis::implied,
                    receipt_ ? "how spec_hash is made is not specified, and no earlier receipt for model " +
                                   quoted(evidence_.model) + " is at hand"
                             : std::string(no_receipt())));
        return;
    }
    const bool same = receipt_->spec_hash == *evidence_.spec_hash;
    add(judged("specification", check_basis::implied, same,
               same ? "its spec_hash is that of earlier receipts for model " + quoted(evidence_.model)
                    : "its spec_hash is " + quoted(receipt_->spec_hash) + ", that of earlier receipts for model " +
                          quoted(evidence_.model) + " is " + quoted(*evidence_.spec_hash)));
}

// Says why the chunks are not numbered consecutively; empty if they are.
std::string offline_run::objection_to_numbering() const {
    const auto lowest = std::ranges::min_element(chunks(), {}, &expected_chunk::index);
    for (std::size_t i = 0; i < chunks().size(); ++i) {
        const std::uint64_t expected = lowest->index + i;
        if (chunks()[i].index != expected) {
            return place_of(chunks()[i]) + " is listed in the place of chunk " + std::to_string(expected) +
                   ": chunks are swapped, doubled or missing";
        }
    }
    return {};
}

void offline_run::check_ranges() {
    if (!evidence_.results) {
        add(missing("ranges", check_basis::specified, std::string(no_results)));
        return;
    }
    std::string objection = objection_to_numbering();
    const auto tiled = check_tiling(chunks(), evidence_.rows);
    if (!tiled) {
        objection += (objection.empty() ? "" : "; ") + tiled.error().message;
    }
    if (!objection.empty()) {
        // Only the name of chunk_index implies that it counts the chunks.
        const check_basis basis = tiled ? check_basis::implied : check_basis::specified;
        add(judged("ranges", basis, false, std::move(objection)));
        return;
    }
    if (!chunks().empty() && chunks().front().index != 0) {
        // The first number is not specified. Pins of outputs are learned from chunks numbered from 0 only.
        const bool seen =
            !pins_.candidates(pin_kind::outputs_root).empty() || !pins_.candidates(pin_kind::output_commitment).empty();
        add({"ranges", seen ? check_verdict::failed : check_verdict::not_checkable, check_basis::implied,
             "the first chunk has number " + std::to_string(chunks().front().index) + " instead of 0"});
        return;
    }
    add(judged("ranges", check_basis::specified, true,
               std::to_string(chunks().size()) + " chunks tile the job's " + std::to_string(evidence_.rows) + " rows"));
}

void offline_run::check_shape() {
    if (!evidence_.output) {
        add(missing("output_shape", check_basis::specified, "the output is not at hand"));
        return;
    }
    const output_evidence& output = *evidence_.output;
    const auto shape = std::to_string(output.rows) + " rows of " + std::to_string(output.dimensions);
    const bool overflows =
        output.dimensions > std::numeric_limits<std::uint64_t>::max() / 4 ||
        (output.dimensions > 0 && output.rows > std::numeric_limits<std::uint64_t>::max() / (4 * output.dimensions));
    std::string objection;
    if (output.rows != evidence_.rows) {
        objection = "the output has " + shape + " numbers, the job has " + std::to_string(evidence_.rows) + " inputs";
    } else if (evidence_.dimensions != 0 && output.dimensions != evidence_.dimensions) {
        objection = "the output has " + shape + " numbers, model " + quoted(evidence_.model) + " gives " +
                    std::to_string(evidence_.dimensions);
    } else if (output.rows > 0 && output.dimensions == 0) {
        objection = "the output has rows without numbers";
    } else if (overflows || output.bytes != 4 * output.rows * output.dimensions) {
        objection = "the output has " + std::to_string(output.bytes) + " bytes, which is not " + shape +
                    " float32: it was cut or has bytes too many";
    }
    const bool good = objection.empty();
    add(judged("output_shape", check_basis::specified, good, good ? shape + " float32" : objection));
}

compared offline_run::compare(commitment_encoding encoding) const {
    const auto& digests = evidence_.output->chunk_digests;
    std::map<std::string_view, std::size_t> committed;
    for (std::size_t i = 0; i < chunks().size(); ++i) {
        if (chunks()[i].commitment) {
            committed.emplace(*chunks()[i].commitment, i);
        }
    }
    compared seen;
    for (std::size_t i = 0; i < chunks().size(); ++i) {
        if (!chunks()[i].commitment) {
            continue;
        }
        const std::string own = chunk_commitment(digests[i], encoding);
        if (own == *chunks()[i].commitment) {
            ++seen.matches;
            continue;
        }
        const auto elsewhere = committed.find(own);
        seen.misplaced = seen.misplaced || elsewhere != committed.end();
        if (!seen.first_bad) {
            seen.first_bad = i;
            if (elsewhere != committed.end()) {
                seen.belongs_to = elsewhere->second;
            }
        }
    }
    return seen;
}

std::string offline_run::describe(const compared& seen) const {
    const expected_chunk& chunk = chunks()[*seen.first_bad];
    if (seen.belongs_to) {
        return place_of(chunk) + " has the bytes committed to for " + place_of(chunks()[*seen.belongs_to]) +
               ": chunks are swapped";
    }
    return place_of(chunk) + ": its bytes have SHA-256 " + to_hex(evidence_.output->chunk_digests[*seen.first_bad]) +
           ", the service committed to " + quoted(*chunk.commitment);
}

// `absent` is the number of chunks without a commitment.
offline_check offline_run::judge_commitments(std::size_t absent) {
    constexpr pin_kind kind = pin_kind::output_commitment;
    const auto names = names_of(commitment_encodings());
    const verify::known_candidates candidates(pins_, kind, names);
    offline_check check(to_string(kind), check_verdict::not_checkable, check_basis::none,
                        "the bytes have none of the commitments: the service commits to something else, or all were "
                        "changed");
    if (candidates.earlier) {
        check.basis = check_basis::pinned;
        check.schemes = pins_.candidates(kind);
        check.reason = "the account is pinned to a scheme that this version does not know";
    }
    for (const std::size_t number : candidates.known) {
        const commitment_encoding encoding = commitment_encodings()[number];
        const compared seen = compare(encoding);
        // A single chunk that has its own commitment, or another chunk's, identifies the encoding as well as all of
        // them would.
        const bool shown = seen.matches > 0 || seen.misplaced;
        if (!shown && (number != candidates.known.front() || !candidates.earlier || !candidates.unknown.empty())) {
            continue;
        }
        check.schemes = {names[number]};
        check.basis = candidates.earlier                        ? check_basis::pinned
                      : encoding == commitment_encoding::sha256 ? check_basis::implied
                                                                : check_basis::assumed;
        if (seen.first_bad) {
            check.verdict = check_verdict::failed;
            check.reason = describe(seen);
            continue;
        }
        learned_.set(kind, check.schemes);
        check.verdict = absent == 0 ? check_verdict::verified : check_verdict::not_checkable;
        check.reason = absent == 0 ? "the bytes of " + std::to_string(seen.matches) + " chunks are the committed ones"
                                   : std::to_string(absent) + " chunks have no commitment, the others match";
        break;
    }
    return check;
}

void offline_run::check_commitments() {
    constexpr std::string_view name = "output_commitment";
    if (!evidence_.results || !evidence_.output) {
        add(missing(name, check_basis::implied,
                    evidence_.results ? "the output is not at hand" : std::string(no_results)));
        return;
    }
    const std::size_t digests = evidence_.output->chunk_digests.size();
    if (digests != chunks().size()) {
        add(judged(name, check_basis::specified, false,
                   "the output holds " + std::to_string(digests) + " whole chunks, the results list " +
                       std::to_string(chunks().size())));
        return;
    }
    std::size_t absent = 0;
    for (const expected_chunk& chunk : chunks()) {
        absent += chunk.commitment ? 0 : 1;
    }
    if (absent == chunks().size()) {
        add(missing(name, check_basis::implied, "the results list no commitments"));
        return;
    }
    add(judge_commitments(absent));
}

// Describes a chunk whose commitment has a form that no known scheme uses as a leaf.
offline_check offline_run::objection_to_leaf(pin_kind kind, const expected_chunk& chunk) const {
    const verify::known_candidates trees(pins_, kind, names_of(output_tree_schemes()));
    const verify::known_candidates encodings(pins_, pin_kind::output_commitment, names_of(commitment_encodings()));
    // A scheme of another version may have commitments of another form.
    const bool all_known = trees.unknown.empty() && encodings.unknown.empty();
    const bool pinned = chunk.commitment && trees.earlier;
    std::string why = place_of(chunk) + (chunk.commitment ? ": its commitment " + quoted(*chunk.commitment) +
                                                                " is not 64 lower-case hex digits"
                                                          : " has no commitment");
    if (pinned && !all_known) {
        why += "; the account is pinned to a scheme that this version does not know";
    }
    offline_check check(to_string(kind), pinned && all_known ? check_verdict::failed : check_verdict::not_checkable,
                        pinned ? check_basis::pinned : check_basis::none, std::move(why));
    check.schemes = pinned ? pins_.candidates(kind) : std::vector<std::string>();
    return check;
}

// outputs_root covers the commitments of all chunks, and the attestation those of the re-executed ones.
void offline_run::check_tree(pin_kind kind, std::string receipt_fields::*claimed, bool sampled_only) {
    if (!receipt_ || !evidence_.results || ((*receipt_).*claimed).empty()) {
        const std::string_view why = !receipt_            ? no_receipt()
                                     : !evidence_.results ? no_results
                                                          : std::string_view("the receipt has none");
        add(missing(to_string(kind), check_basis::none, std::string(why)));
        return;
    }
    std::vector<digest> leaves;
    for (const expected_chunk& chunk : chunks()) {
        if (sampled_only && !chunk.sampled) {
            continue;
        }
        const auto leaf = chunk.commitment ? digest_from_hex(*chunk.commitment) : std::nullopt;
        // The service does not write upper case: a changed letter must not pass because it has the same value.
        if (leaf && to_hex(*leaf) == *chunk.commitment) {
            leaves.push_back(*leaf);
            continue;
        }
        add(objection_to_leaf(kind, chunk));
        return;
    }
    scheme_question question;
    question.kind = kind;
    question.names = names_of(output_tree_schemes());
    question.claimed = (*receipt_).*claimed;
    question.recompute = [&leaves](std::size_t i) { return outputs_root(leaves, output_tree_schemes()[i]); };
    question.what =
        "the " + counted(leaves.size(), "commitment") + (sampled_only ? " of chunks listed as re-executed" : " listed");
    add(verify::answer(question, pins_, learned_));
}

void offline_run::check_inputs_root() {
    constexpr std::string_view name = "inputs_root";
    if (!receipt_ || !evidence_.inputs) {
        add(missing(name, check_basis::none, receipt_ ? "the inputs are not at hand" : std::string(no_receipt())));
        return;
    }
    const std::vector<input_digests>& inputs = *evidence_.inputs;
    if (inputs.size() != evidence_.rows) {
        add(judged(
            name, check_basis::specified, false,
            std::to_string(inputs.size()) + " inputs are at hand, the job has " + std::to_string(evidence_.rows)));
        return;
    }
    scheme_question question;
    question.kind = pin_kind::inputs_root;
    question.names = names_of(input_tree_schemes());
    question.claimed = receipt_->inputs_root;
    question.recompute = [&inputs](std::size_t i) { return inputs_root(inputs, input_tree_schemes()[i]); };
    question.what = "the " + counted(inputs.size(), "input");
    add(verify::answer(question, pins_, learned_));
}

void offline_run::check_receipt_hash() {
    if (!receipt_) {
        add(missing("receipt_hash", check_basis::none, std::string(no_receipt())));
        return;
    }
    scheme_question question;
    question.kind = pin_kind::receipt_hash;
    question.names = names_of(hash_schemes());
    question.claimed = receipt_->receipt_hash;
    question.recompute = [this](std::size_t i) {
        auto hash = receipt_hash(*text_, hash_schemes()[i]);
        return hash ? std::move(*hash) : std::string();
    };
    question.what = "the receipt's own fields";
    add(verify::answer(question, pins_, learned_));
}

void offline_run::list_chunks() {
    if (!evidence_.results) {
        return;
    }
    for (const expected_chunk& chunk : chunks()) {
        (chunk.sampled ? report_.chunks_reexecuted : report_.chunks_not_reexecuted).push_back(chunk.index);
    }
}

// If a check of a receipt failed, nothing is learned from the receipt. If the ranges are not verified, nothing is
// learned about outputs.
void offline_run::keep_what_was_learned() {
    report_.pins = report_.first_failed() == nullptr ? learned_ : pins_;
    if (report_.find("ranges")->verdict != check_verdict::verified) {
        for (const pin_kind kind :
             {pin_kind::outputs_root, pin_kind::output_commitment, pin_kind::verification_attestation}) {
            report_.pins.set(kind, pins_.candidates(kind));
        }
    }
}

offline_report offline_run::take() {
    check_ids();
    check_results_job();
    check_specification();
    check_ranges();
    check_shape();
    check_commitments();
    check_tree(pin_kind::outputs_root, &receipt_fields::outputs_root, false);
    check_inputs_root();
    check_receipt_hash();
    check_tree(pin_kind::verification_attestation, &receipt_fields::verification_attestation, true);
    add(missing("origin", check_basis::specified, "receipts are not signed"));
    list_chunks();
    keep_what_was_learned();
    return std::move(report_);
}

}  // namespace

offline_report verify_receipt_offline(std::string_view receipt_text, const offline_evidence& evidence,
                                      const account_pins& pins) {
    return offline_run(receipt_text, evidence, pins).take();
}

offline_report verify_output_offline(const offline_evidence& evidence, const account_pins& pins) {
    return offline_run(std::nullopt, evidence, pins).take();
}

}  // namespace vembed
