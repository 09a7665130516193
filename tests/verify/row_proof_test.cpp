#include <vembed/verify/row_proof.hpp>

#include <algorithm>
#include <tuple>

#include <gtest/gtest.h>
#include <vembed/verify/row_root.hpp>

#include "verify/issued_job.hpp"

namespace vembed {
namespace {

using testing_support::issued_job;
using testing_support::job_plan;

/// A folder of the job's rows and the proof of one of them.
class proven_row {
public:
    issued_job job;
    offline_evidence evidence;
    offline_report report;
    row_proof proof;

    explicit proven_row(const job_plan& plan = {}, std::uint64_t number = 5)
        : job(plan), evidence(job.evidence()), report(verify_receipt_offline(job.receipt_text(), evidence)) {
        const std::size_t row_bytes = 4 * plan.dimensions;
        tree_path_builder builder(number, {});
        for (std::uint64_t i = 0; i < plan.rows; ++i) {
            const auto bytes = std::span(job.output).subspan(i * row_bytes, row_bytes);
            builder.add(row_leaf(sha256_of(job.texts[i]), sha256_of(bytes)));
            if (i == number) {
                proof.row.bytes.assign(bytes.begin(), bytes.end());
            }
        }
        auto path = builder.finish().value();
        proof.row.number = number;
        proof.row.rows = plan.rows;
        proof.row.id = "id " + std::to_string(number);
        proof.row.text_sha256 = sha256_of(job.texts[number]);
        proof.row.dimensions = plan.dimensions;
        proof.row.sha256 = sha256_of(proof.row.bytes);
        proof.row.path = std::move(path.siblings);
        proof.row.root = path.root;
    }

    [[nodiscard]] platform_pieces pieces() const {
        platform_pieces all;
        receipt_ = job.receipt_text();
        all.receipt_text = receipt_;
        all.evidence = &evidence;
        all.report = &report;
        all.of_row = proof.row.number;
        all.row_in_job = proof.row.number;
        for (const expected_chunk& chunk : evidence.results->chunks) {
            if (chunk.row_start <= all.row_in_job && all.row_in_job < chunk.row_end) {
                const std::size_t row_bytes = 4 * job.dimensions;
                const auto bytes =
                    std::span(job.output)
                        .subspan(chunk.row_start * row_bytes, (chunk.row_end - chunk.row_start) * row_bytes);
                all.chunk_bytes.assign(bytes.begin(), bytes.end());
            }
        }
        return all;
    }

    [[nodiscard]] row_proof with_platform() const {
        row_proof whole = proof;
        whole.platform = make_platform_part(pieces()).value();
        return whole;
    }

private:
    mutable std::string receipt_;
};

check_verdict verdict(const row_proof_report& report, std::string_view name) {
    const row_proof_check* check = report.find(name);
    return check == nullptr ? check_verdict::not_checkable : check->verdict;
}

TEST(row_proof, part_one_alone) {
    const proven_row row;
    const auto report = check_row_proof(row.proof);
    EXPECT_TRUE(report.verified());
    EXPECT_EQ(report.checks.size(), 6U);
    EXPECT_EQ(verdict(report, "row_root"), check_verdict::verified);
    EXPECT_EQ(verdict(report, "expected_root"), check_verdict::not_checkable);
    const std::string page = report.text();
    EXPECT_NE(page.find("row 5 of 10, id \"id 5\": 3 float32"), page.npos) << page;
    EXPECT_NE(page.find("Part two is not in this proof"), page.npos);
    EXPECT_NE(page.find("In all: verified, if its row root is the published one\n"), page.npos);
    EXPECT_FALSE(row_proof_report().verified()) << "nothing was checked";
    EXPECT_TRUE(page.ends_with(std::string(origin_line) + "\n"));
}

TEST(row_proof, what_is_expected_is_compared) {
    const proven_row row;
    row_proof_expectations expected;
    expected.root = row.proof.row.root;
    expected.rows = 10;
    expected.text = row.job.texts[5];
    EXPECT_EQ(verdict(check_row_proof(row.proof, expected), "expected_root"), check_verdict::verified);
    EXPECT_EQ(verdict(check_row_proof(row.proof, expected), "text"), check_verdict::verified);
    EXPECT_NE(check_row_proof(row.proof, expected).text().find("In all: verified\n"), std::string::npos);
    expected.text = row.job.texts[5] + "\n";
    const auto with_line_end = check_row_proof(row.proof, expected);
    EXPECT_EQ(verdict(with_line_end, "text"), check_verdict::failed);
    EXPECT_NE(with_line_end.find("text")->reason.find("line end"), std::string::npos);
    expected.rows = 11;
    EXPECT_EQ(verdict(check_row_proof(row.proof, expected), "expected_root"), check_verdict::failed);
    expected.rows.reset();
    expected.root = sha256_of("another folder");
    EXPECT_FALSE(check_row_proof(row.proof, expected).verified());
}

bool keeps_apart(const tree_scheme& tree) {
    return tree.leaf == leaf_encoding::prefixed && tree.node == node_encoding::prefixed;
}

// What is known of an account whose receipts are made by the plan.
account_pins pins_learned_from(const job_plan& plan) {
    tree_scheme inputs = plan.scheme.tree;
    inputs.leaf = inputs.leaf == leaf_encoding::as_digest ? leaf_encoding::plain : inputs.leaf;
    account_pins pins;
    pins.set(pin_kind::receipt_hash, {name_of(plan.scheme.hash)});
    pins.set(pin_kind::inputs_root, {name_of(inputs)});
    pins.set(pin_kind::outputs_root, {name_of(plan.scheme.tree)});
    pins.set(pin_kind::output_commitment, {name_of(plan.commits)});
    pins.set(pin_kind::verification_attestation, {name_of(plan.scheme.tree)});
    return pins;
}

TEST(row_proof, both_parts_under_every_scheme) {
    for (const tree_scheme& tree : output_tree_schemes()) {
        for (const hash_scheme& hash : hash_schemes()) {
            job_plan plan;
            plan.scheme = receipt_scheme(hash, tree);
            plan.commits =
                hash.field == hash_field::empty ? commitment_encoding::sha256_twice : commitment_encoding::sha256;
            const proven_row row(plan, 9);
            const row_proof proof = row.with_platform();
            row_proof_expectations expected;
            expected.text = row.job.texts[9];
            const auto unpinned = check_row_proof(proof, expected);
            ASSERT_EQ(unpinned.first_failed(), nullptr) << unpinned.text();
            ASSERT_EQ(unpinned.verified(), keeps_apart(tree)) << unpinned.text();
            expected.pins = pins_learned_from(plan);
            const auto report = check_row_proof(proof, expected);
            const auto read = row_proof::from_json(proof.to_json());
            ASSERT_TRUE(read) << read.error();
            ASSERT_EQ(*read, proof);
            if (tree.leaf == leaf_encoding::as_digest && tree.node != node_encoding::prefixed) {
                ASSERT_EQ(verdict(report, "outputs_root"), check_verdict::not_checkable) << "a chunk of 24 bytes";
                continue;
            }
            ASSERT_TRUE(report.verified()) << report.text();
            for (const std::string_view name :
                 {"receipt_ids", "receipt_hash", "output_commitment", "row_in_chunk", "outputs_root", "inputs_root",
                  "text_leaf", "verification_attestation"}) {
                ASSERT_EQ(verdict(report, name), check_verdict::verified) << name << '\n' << report.text();
            }
        }
    }
}

// A proof by whoever has a true receipt and shows other bytes under it: a part two whose chunk, one row, is `bytes`.
row_proof forged(const proven_row& from, std::vector<std::byte> bytes, const tree_scheme& named) {
    row_proof proof = from.with_platform();
    platform_part& part = *proof.platform;
    part.inputs_root.reset();
    part.verification_attestation.reset();
    part.row_in_job = 0;
    part.chunk.row_start = 0;
    part.chunk.row_end = 1;
    part.chunk.bytes = bytes;
    part.chunk.commitment = sha256_of(bytes);
    part.chunk.encoding = {"sha256", check_basis::pinned};
    part.outputs_root.tree = {name_of(named), check_basis::pinned};
    part.outputs_root.leaf = tree_leaf(part.chunk.commitment, named.leaf);
    proof.row.number = 0;
    proof.row.rows = 1;
    proof.row.dimensions = bytes.size() / 4;
    proof.row.bytes = std::move(bytes);
    proof.row.sha256 = sha256_of(proof.row.bytes);
    proof.row.path.clear();
    proof.row.root = row_leaf(proof.row.text_sha256, proof.row.sha256);
    return proof;
}

TEST(row_proof, a_commitment_or_node_is_never_verified_as_a_chunk) {
    job_plan plan;
    plan.scheme.tree.leaf = leaf_encoding::plain;
    plan.scheme.tree.node = node_encoding::plain;
    const proven_row plain(plan);
    const digest commitment = *digest_from_hex(*plain.evidence.results->chunks[1].commitment);
    tree_scheme named = plan.scheme.tree;
    named.leaf = leaf_encoding::as_digest;
    const row_proof of_commitment = forged(plain, {commitment.begin(), commitment.end()}, named);
    const auto unknown = check_row_proof(of_commitment);
    EXPECT_FALSE(unknown.verified()) << unknown.text();
    EXPECT_EQ(verdict(unknown, "outputs_root"), check_verdict::not_checkable);
    EXPECT_EQ(unknown.find("outputs_root")->basis, "assumed:leaf-digest/node-plain/rfc6962");
    EXPECT_NE(unknown.text().find("passed off as data, which only known pins"), std::string::npos) << unknown.text();
    row_proof_expectations expected;
    expected.pins = pins_learned_from(plan);
    EXPECT_EQ(verdict(check_row_proof(of_commitment, expected), "outputs_root"), check_verdict::failed);

    // The first node over two leaves, as leaf 0 of two: under a scheme that the account does follow.
    plan.scheme.tree = named;
    const proven_row digests(plan);
    std::vector<std::byte> node;
    for (std::size_t i = 0; i < 2; ++i) {
        const digest leaf = *digest_from_hex(*digests.evidence.results->chunks[i].commitment);
        node.insert(node.end(), leaf.begin(), leaf.end());
    }
    row_proof of_node = forged(digests, std::move(node), named);
    of_node.platform->outputs_root.index = 0;
    of_node.platform->outputs_root.size = 2;
    of_node.platform->outputs_root.path = {*digest_from_hex(*digests.evidence.results->chunks[2].commitment)};
    expected.pins = pins_learned_from(plan);
    for (const auto& report : {check_row_proof(of_node), check_row_proof(of_node, expected)}) {
        EXPECT_EQ(report.first_failed(), nullptr) << "every hash fits: " << report.text();
        EXPECT_EQ(verdict(report, "outputs_root"), check_verdict::not_checkable) << report.text();
        EXPECT_FALSE(report.verified());
    }
    plan.dimensions = 40;
    const proven_row larger(plan);
    expected.pins = pins_learned_from(plan);
    expected.text = larger.job.texts[5];
    EXPECT_TRUE(check_row_proof(larger.with_platform(), expected).verified()) << "a chunk is longer than a node";
}

// What a node over two leaves is hashed over, without the byte that every leaf over a text begins with.
std::string text_like_node(const digest& left, const digest& right, const tree_scheme& scheme) {
    std::string node = scheme.node == node_encoding::prefixed ? "\x01" : "";
    if (scheme.node == node_encoding::hex) {
        node = to_hex(left) + to_hex(right);
    } else {
        for (const digest* const part : {&left, &right}) {
            node.append(reinterpret_cast<const char*>(part->data()), part->size());
        }
    }
    return scheme.leaf == leaf_encoding::prefixed ? node.substr(1) : node;
}

// A job of four texts whose first leaf begins with a zero byte, so that under leaf-00 as well a node may be a text.
job_plan four_texts(const tree_scheme& tree) {
    job_plan plan;
    plan.rows = 4;
    plan.dimensions = 40;
    plan.scheme.tree = tree;
    while (input_digests("text 0 of job " + std::to_string(plan.number)).prefixed.front() != std::byte{0}) {
        ++plan.number;
    }
    return plan;
}

TEST(row_proof, a_node_is_never_verified_as_a_text) {
    for (const tree_scheme tree : {tree_scheme(leaf_encoding::plain, node_encoding::prefixed, odd_rule::rfc6962),
                                   tree_scheme(leaf_encoding::plain, node_encoding::plain, odd_rule::rfc6962),
                                   tree_scheme(leaf_encoding::plain, node_encoding::hex, odd_rule::duplicate),
                                   tree_scheme(leaf_encoding::prefixed, node_encoding::plain, odd_rule::rfc6962)}) {
        const job_plan plan = four_texts(tree);
        const proven_row row(plan, 0);
        std::vector<digest> leaves;
        for (const std::string& text : row.job.texts) {
            leaves.push_back(tree_leaf(input_digests(text), tree.leaf));
        }
        row_proof_expectations expected;
        expected.pins = pins_learned_from(plan);
        row_proof proof = row.with_platform();
        EXPECT_EQ(verdict(check_row_proof(proof, expected), "inputs_root"), check_verdict::not_checkable)
            << "of a text that is not at hand, any length is possible: " << name_of(tree);
        expected.text = row.job.texts[0];
        EXPECT_TRUE(check_row_proof(proof, expected).verified()) << check_row_proof(proof, expected).text();

        expected.text = text_like_node(leaves[0], leaves[1], tree);
        tree_place& place = *proof.platform->inputs_root;
        place.size = 2;
        place.leaf = tree_leaf(input_digests(*expected.text), tree.leaf);
        ASSERT_EQ(place.leaf, tree_node(leaves[0], leaves[1], tree.node));
        place.path = {tree_node(leaves[2], leaves[3], tree.node)};
        proof.row.rows = 1;
        proof.row.path.clear();
        proof.row.text_sha256 = sha256_of(*expected.text);
        proof.row.root = row_leaf(proof.row.text_sha256, proof.row.sha256);
        const auto report = check_row_proof(proof, expected);
        EXPECT_EQ(report.first_failed(), nullptr) << "every hash fits: " << report.text();
        EXPECT_EQ(verdict(report, "inputs_root"), check_verdict::not_checkable) << name_of(tree);
        EXPECT_NE(report.find("inputs_root")->reason.find("passed off as a text"), std::string::npos);
        EXPECT_FALSE(report.verified());
    }
}

TEST(row_proof, a_text_is_no_node_under_schemes_whose_leaves_are_told_apart) {
    for (const tree_scheme& tree : input_tree_schemes()) {
        const bool apart = tree.leaf == leaf_encoding::prefixed_digest || tree.leaf == leaf_encoding::hex ||
                           (tree.leaf == leaf_encoding::prefixed && tree.node != node_encoding::plain);
        job_plan plan = four_texts({});
        const issued_job job(plan);
        row_proof proof = proven_row(plan, 0).with_platform();
        std::vector<input_digests> inputs(job.texts.begin(), job.texts.end());
        tree_path_builder builder(0, tree);
        for (const input_digests& input : inputs) {
            builder.add(tree_leaf(input, tree.leaf));
        }
        tree_place& place = *proof.platform->inputs_root;
        place.tree = {name_of(tree), check_basis::pinned};
        place.leaf = tree_leaf(inputs.front(), tree.leaf);
        place.path = builder.finish().value().siblings;
        boost::json::object receipt = job.proof;
        receipt["inputs_root"] = inputs_root(inputs, tree);
        proof.platform->receipt = boost::json::serialize(receipt);
        row_proof_expectations expected;
        expected.pins.set(pin_kind::inputs_root, {name_of(tree)});
        EXPECT_EQ(verdict(check_row_proof(proof, expected), "inputs_root"),
                  apart ? check_verdict::verified : check_verdict::not_checkable)
            << name_of(tree);
    }
}

TEST(row_proof, what_is_known_counts_instead_of_what_the_proof_names) {
    job_plan plan;
    plan.rows = 4;
    plan.scheme.tree.node = node_encoding::plain;
    const proven_row one_chunk(plan, 2);
    const row_proof proof = one_chunk.with_platform();
    ASSERT_EQ(proof.platform->outputs_root.tree.scheme, "leaf-00/node-01/rfc6962") << "the first that gives the root";
    const std::string default_name = name_of(tree_scheme());
    const struct {
        std::vector<std::string> known;
        check_verdict expected;
        std::string_view basis;
    } cases[] = {
        {{}, check_verdict::verified, "assumed:leaf-00/node-01/rfc6962"},
        {{default_name}, check_verdict::verified, "pinned:leaf-00/node-01/rfc6962"},
        {{"leaf-00/node-plain/rfc6962"}, check_verdict::verified, "pinned:leaf-00/node-plain/rfc6962"},
        {{"leaf-plain/node-01/rfc6962"}, check_verdict::failed, "pinned:leaf-plain/node-01/rfc6962"},
        {{"leaf-00/node-plain/rfc6962", default_name}, check_verdict::verified, "assumed:leaf-00/node-01/rfc6962"},
        {{"leaf-00/node-plain/rfc6962", "leaf-00/node-hex/rfc6962"}, check_verdict::not_checkable, "none"},
        {{"leaf-00/node-02/rfc6962"}, check_verdict::not_checkable, "none"},
    };
    for (const auto& c : cases) {
        row_proof_expectations expected;
        expected.pins.set(pin_kind::outputs_root, c.known);
        const auto report = check_row_proof(proof, expected);
        EXPECT_EQ(verdict(report, "outputs_root"), c.expected) << report.text();
        EXPECT_EQ(report.find("outputs_root")->basis, c.basis);
    }
    row_proof_expectations expected;
    expected.pins.set(pin_kind::output_commitment, {"sha256-twice"});
    expected.pins.set(pin_kind::receipt_hash, {"jcs/empty-receipt_hash"});
    const auto report = check_row_proof(proof, expected);
    EXPECT_EQ(verdict(report, "output_commitment"), check_verdict::failed);
    EXPECT_EQ(verdict(report, "receipt_hash"), check_verdict::failed);
}

// Of a receipt whose hash the proof does not claim, so that nothing else is wrong with it.
TEST(row_proof, receipts_have_the_documented_fields) {
    proven_row row;
    row_proof good = row.with_platform();
    good.platform->receipt_hash.reset();
    good.platform->verification_attestation.reset();
    good.platform->inputs_root.reset();
    ASSERT_TRUE(check_row_proof(good).verified());
    for (const std::string name :
         {"receipt_id", "job_id", "spec_hash", "inputs_root", "outputs_root", "receipt_hash"}) {
        for (const boost::json::value& other : {boost::json::value(), boost::json::value(5), boost::json::value("-")}) {
            boost::json::object receipt = row.job.proof;
            if (other == boost::json::value("-")) {
                receipt.erase(name);
            } else {
                receipt[name] = other;
            }
            row_proof changed = good;
            changed.platform->receipt = boost::json::serialize(receipt);
            EXPECT_EQ(verdict(check_row_proof(changed), "receipt_form"), check_verdict::failed) << name;
        }
    }
    row.job.proof["verification_attestation"] = nullptr;
    good.platform->receipt = row.job.receipt_text();
    EXPECT_TRUE(check_row_proof(good).verified()) << "the older service has none";
    row.job.proof["verification_attestation"] = 7;
    good.platform->receipt = row.job.receipt_text();
    EXPECT_EQ(verdict(check_row_proof(good), "receipt_form"), check_verdict::failed);
    for (std::string platform_part::*id : {&platform_part::job_id, &platform_part::receipt_id}) {
        row_proof nameless = row.with_platform();
        (*nameless.platform).*id = "";
        EXPECT_EQ(check_row_proof_text(nameless.to_json()).first_failed()->name, "proof_form");
    }
}

TEST(row_proof, text_leaf_takes_the_text_under_leaf_00) {
    const proven_row row;
    const auto without = check_row_proof(row.with_platform());
    EXPECT_EQ(verdict(without, "text_leaf"), check_verdict::not_checkable);
    EXPECT_TRUE(without.verified());
    row_proof other = row.with_platform();
    other.platform->inputs_root->leaf = sha256_of("another leaf");
    EXPECT_EQ(verdict(check_row_proof(other), "inputs_root"), check_verdict::failed);
}

TEST(row_proof, basis_is_that_of_the_report) {
    proven_row row;
    const row_proof assumed = row.with_platform();
    EXPECT_EQ(check_row_proof(assumed).find("output_commitment")->basis, "implied");
    EXPECT_EQ(check_row_proof(assumed).find("outputs_root")->basis.substr(0, 8), "assumed:");
    row.report = verify_receipt_offline(row.job.receipt_text(), row.evidence, row.report.pins);
    const row_proof pinned = row.with_platform();
    EXPECT_EQ(pinned.platform->outputs_root.tree.basis, check_basis::pinned);
    const auto on_its_word = check_row_proof(pinned);
    EXPECT_TRUE(on_its_word.verified());
    EXPECT_EQ(on_its_word.find("output_commitment")->basis, "implied");
    EXPECT_EQ(on_its_word.find("outputs_root")->basis, "assumed:leaf-00/node-01/rfc6962");
    EXPECT_EQ(on_its_word.find("receipt_hash")->basis, "assumed:jcs/without-receipt_hash");
    EXPECT_NE(on_its_word.text().find("is the word of whoever made the proof"), std::string::npos);
    row_proof_expectations expected;
    expected.pins = pins_learned_from({});
    const auto report = check_row_proof(pinned, expected);
    EXPECT_EQ(report.find("output_commitment")->basis, "pinned:sha256");
    EXPECT_EQ(report.find("outputs_root")->basis, "pinned:leaf-00/node-01/rfc6962");
    EXPECT_EQ(report.find("receipt_hash")->basis, "pinned:jcs/without-receipt_hash");
    EXPECT_EQ(report.text().find("is the word of whoever made the proof"), std::string::npos);
}

TEST(row_proof, sample_is_said_as_it_is) {
    const proven_row sampled({}, 1);
    EXPECT_NE(check_row_proof(sampled.with_platform()).text().find("its receipt commits to that"), std::string::npos);
    const proven_row other({}, 5);
    const row_proof proof = other.with_platform();
    EXPECT_FALSE(proof.platform->chunk.selected_for_verification);
    EXPECT_FALSE(proof.platform->verification_attestation);
    EXPECT_NE(check_row_proof(proof).text().find("was not re-executed"), std::string::npos);
    row_proof claimed = sampled.with_platform();
    claimed.platform->chunk.selected_for_verification = false;
    EXPECT_EQ(verdict(check_row_proof(claimed), "verification_attestation"), check_verdict::failed);
}

TEST(row_proof, unknown_schemes_are_not_checkable) {
    const row_proof proof = proven_row().with_platform();
    using change = void (*)(platform_part&);
    const std::tuple<const char*, change> cases[] = {
        {"outputs_root", [](platform_part& p) { p.outputs_root.tree.scheme = "leaf-00/node-02/rfc6962"; }},
        {"outputs_root", [](platform_part& p) { p.outputs_root.tree.scheme = "leaf-00-digest/node-01/rfc6962"; }},
        {"inputs_root", [](platform_part& p) { p.inputs_root->tree.scheme = "leaf-digest/node-01/rfc6962"; }},
        {"receipt_hash", [](platform_part& p) { p.receipt_hash->scheme = "cbor/without-receipt_hash"; }},
        {"output_commitment",
         [](platform_part& p) {
             p.chunk.encoding = {"blake3", check_basis::assumed};
         }},
    };
    for (const auto& [name, change_it] : cases) {
        row_proof changed = proof;
        change_it(*changed.platform);
        const auto report = check_row_proof(changed);
        EXPECT_FALSE(report.verified()) << name;
        EXPECT_EQ(report.first_failed(), nullptr) << report.text();
        EXPECT_EQ(verdict(report, name), check_verdict::not_checkable) << name;
        EXPECT_TRUE(report.find(name)->required);
    }
}

TEST(row_proof, damage_is_named) {
    const row_proof proof = proven_row().with_platform();
    using change = void (*)(row_proof&);
    const std::tuple<const char*, change> cases[] = {
        {"row_bytes", [](row_proof& p) { p.row.bytes[0] ^= std::byte{1}; }},
        {"row_bytes", [](row_proof& p) { p.row.bytes.pop_back(); }},
        {"row_bytes", [](row_proof& p) { p.row.dimensions = 4; }},
        {"row_root", [](row_proof& p) { p.row.number = 4; }},
        {"row_root", [](row_proof& p) { p.row.text_sha256[3] ^= std::byte{1}; }},
        {"row_root", [](row_proof& p) { std::swap(p.row.path[0], p.row.path[1]); }},
        {"row_root", [](row_proof& p) { p.row.path.clear(); }},
        {"receipt_form", [](row_proof& p) { p.platform->receipt = "[]"; }},
        {"receipt_form", [](row_proof& p) { p.platform->receipt.insert(1, R"("issued_at":"x",)"); }},
        {"receipt_ids", [](row_proof& p) { p.platform->job_id = "job_other"; }},
        {"receipt_hash", [](row_proof& p) { p.platform->receipt.insert(1, R"("new":"x",)"); }},
        {"receipt_hash", [](row_proof& p) { p.platform->receipt_hash->scheme = "jcs/empty-receipt_hash"; }},
        {"output_commitment", [](row_proof& p) { p.platform->chunk.bytes.back() ^= std::byte{1}; }},
        {"output_commitment", [](row_proof& p) { p.platform->chunk.commitment[0] ^= std::byte{1}; }},
        {"row_in_chunk", [](row_proof& p) { --p.platform->row_in_job; }},
        {"row_in_chunk", [](row_proof& p) { ++p.platform->chunk.row_end; }},
        {"row_in_chunk", [](row_proof& p) { p.platform->row_in_job = 8; }},
        {"outputs_root", [](row_proof& p) { p.platform->outputs_root.index = 0; }},
        {"outputs_root", [](row_proof& p) { p.platform->outputs_root.leaf[0] ^= std::byte{1}; }},
        {"outputs_root", [](row_proof& p) { p.platform->outputs_root.path[0][0] ^= std::byte{1}; }},
        {"inputs_root", [](row_proof& p) { p.platform->inputs_root->index = 4; }},
        {"inputs_root", [](row_proof& p) { p.platform->inputs_root->path.pop_back(); }},
    };
    for (const auto& [name, change_it] : cases) {
        row_proof changed = proof;
        change_it(changed);
        const auto report = check_row_proof(changed);
        EXPECT_FALSE(report.verified()) << name;
        EXPECT_EQ(verdict(report, name), check_verdict::failed) << name << '\n' << report.text();
    }
}

TEST(row_proof, reads_its_own_format_only) {
    const std::string good = proven_row().proof.to_json();
    ASSERT_TRUE(row_proof::from_json(good));
    const auto with = [&good](std::string_view what, std::string_view other) {
        std::string text = good;
        text.replace(text.find(what), what.size(), other);
        return text;
    };
    const std::string hash = to_hex(sha256_of("x"));
    for (const std::string& bad : {std::string(),
                                   std::string("{}"),
                                   good.substr(0, good.size() / 2),
                                   good + "{}",
                                   with("\"vembed_row_proof\":1", "\"vembed_row_proof\":2"),
                                   with("\"vembed_row_proof\":1", "\"vembed_row_proof\":1.0"),
                                   with("\"number\":5", "\"number\":\"5\""),
                                   with("\"number\":5", "\"number\":-5"),
                                   with("\"number\":5", "\"number\":5e0"),
                                   with("\"number\":5", "\"number\":1000000000000000"),
                                   with("\"number\":5", "\"number\":5,\"number\":5"),
                                   with("\"number\":5", "\"number\":NaN"),
                                   with("\"number\":5", "\"number\":true"),
                                   with("\"number\":5,", ""),
                                   with("\"number\":5", "\"number\":5,\"more\":1"),
                                   with("\"id 5\"", "5"),
                                   with("\"id 5\"", R"("\ud800")"),
                                   with("\"id 5\"", "\"\xff\""),
                                   with("\"platform\":null", "\"platform\":{}"),
                                   with("\"platform\":null", "\"platform\":[]"),
                                   with("\"dimensions\":3", "\"dimensions\":65537"),
                                   with("\"path\":[", "\"path\":[\"" + hash.substr(1) + "\","),
                                   with("\"bytes\":\"", "\"bytes\":\" "),
                                   with("\"bytes\":\"", "\"bytes\":\"=")}) {
        const auto read = row_proof::from_json(bad);
        EXPECT_FALSE(read) << bad;
        EXPECT_EQ(check_row_proof_text(bad).first_failed()->name, "proof_form");
    }
    std::string upper = good;
    const std::size_t root = upper.find("\"root\":\"") + 8;
    std::transform(upper.begin() + static_cast<std::ptrdiff_t>(root),
                   upper.begin() + static_cast<std::ptrdiff_t>(root) + 64,
                   upper.begin() + static_cast<std::ptrdiff_t>(root),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_FALSE(row_proof::from_json(upper));
    EXPECT_TRUE(row_proof::from_json(with("\"number\":5,", "\r\n \"number\" :\t5 , ")));
    EXPECT_TRUE(row_proof::from_json(with("\"id 5\"", "null")));
}

// A text with room for millions of values in it is refused before there is memory taken for them.
TEST(row_proof, values_and_depth_are_bounded) {
    const auto repeated = [](const std::string& what, std::size_t times) {
        std::string text;
        for (std::size_t i = 0; i < times; ++i) {
            text += what;
        }
        return text;
    };
    const std::pair<std::string, const char*> cases[] = {
        {"[" + repeated("0,", row_proof_values_max) + "0]", "too many values"},
        {"{" + repeated("\"a\":0,", row_proof_values_max), "too many values"},
        {"[" + repeated("[],", row_proof_values_max / 2 + 1), "too many values"},
        {std::string(row_proof_depth_max + 1, '['), "nested too deep"},
        {repeated("{\"a\":", row_proof_depth_max + 1), "nested too deep"},
        {"\"" + repeated("[,", row_proof_values_max), "no canonical form"},
        {"\"\\", "no canonical form"},
    };
    for (const auto& [text, complaint] : cases) {
        const auto read = row_proof::from_json(text);
        ASSERT_FALSE(read);
        EXPECT_NE(read.error().message.find(complaint), std::string::npos) << read.error().message;
    }
    row_proof proof = proven_row().with_platform();
    proof.row.id = repeated("[,{\"\\", 1000);
    EXPECT_EQ(row_proof::from_json(proof.to_json()).value(), proof) << "what is in a text is no value";
}

TEST(row_proof, nothing_is_made_of_what_does_not_hold) {
    proven_row spoiled;
    spoiled.evidence.output->chunk_digests[0] = sha256_of("other bytes");
    spoiled.report = verify_receipt_offline(spoiled.job.receipt_text(), spoiled.evidence, spoiled.report.pins);
    const auto part = make_platform_part(spoiled.pieces());
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().kind, errc::verification_failed);
    EXPECT_NE(part.error().message.find("output_commitment"), std::string::npos);

    proven_row unknown;
    unknown.job.proof["outputs_root"] = to_hex(sha256_of("no known scheme"));
    unknown.report = verify_receipt_offline(unknown.job.receipt_text(), unknown.evidence);
    const auto unexplained = make_platform_part(unknown.pieces());
    ASSERT_FALSE(unexplained);
    EXPECT_EQ(unexplained.error().kind, errc::bad_input) << "a question is no failure";
    EXPECT_NE(unexplained.error().message.find("outputs_root"), std::string::npos);

    const proven_row row;
    auto nowhere = row.pieces();
    nowhere.row_in_job = 10;
    EXPECT_FALSE(make_platform_part(std::move(nowhere)));
    EXPECT_FALSE(make_platform_part(platform_pieces()));
}

TEST(row_proof, what_is_not_verified_is_left_out) {
    job_plan plan;
    plan.attests = false;
    proven_row row(plan, 1);
    row.evidence.inputs.reset();
    row.report = verify_receipt_offline(row.job.receipt_text(), row.evidence);
    const row_proof proof = row.with_platform();
    EXPECT_FALSE(proof.platform->inputs_root);
    EXPECT_FALSE(proof.platform->verification_attestation);
    const auto report = check_row_proof(proof);
    EXPECT_TRUE(report.verified()) << report.text();
    EXPECT_EQ(verdict(report, "inputs_root"), check_verdict::not_checkable);
    EXPECT_EQ(row_proof::from_json(proof.to_json()).value(), proof);
}

}  // namespace
}  // namespace vembed
