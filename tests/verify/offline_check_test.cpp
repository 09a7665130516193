#include <vembed/verify/offline_check.hpp>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <vembed/verify/canonical_json.hpp>
#include <vembed/verify/merkle.hpp>

#include "support/repetitions.hpp"
#include "verify/issued_job.hpp"

namespace vembed {
namespace {

using testing_support::issued_job;
using testing_support::job_plan;

job_plan plan_of(std::uint64_t number, std::uint64_t rows = 10, std::uint64_t chunk_size = 4) {
    job_plan plan;
    plan.number = number;
    plan.rows = rows;
    plan.chunk_size = chunk_size;
    return plan;
}

offline_report check(const issued_job& job, const account_pins& pins = {}) {
    return verify_receipt_offline(job.receipt_text(), job.evidence(), pins);
}

check_verdict verdict_of(const offline_report& report, std::string_view name) {
    return report.find(name)->verdict;
}

std::string failures_of(const offline_report& report) {
    std::string names;
    for (const offline_check& c : report.checks) {
        if (c.verdict == check_verdict::failed) {
            names += (names.empty() ? "" : ",") + c.name;
        }
    }
    return names;
}

TEST(offline_check, a_first_receipt_is_verified_on_assumptions_and_pins_them) {
    const issued_job job(plan_of(1));
    const offline_report report = check(job);
    const std::vector<std::pair<std::string_view, std::string_view>> expected = {
        {"receipt_form", "specified"},
        {"receipt_job", "specified"},
        {"receipt_id", "specified"},
        {"results_job", "specified"},
        {"specification", "implied"},
        {"ranges", "specified"},
        {"output_shape", "specified"},
        {"output_commitment", "implied"},
        {"outputs_root", "assumed:leaf-00/node-01/rfc6962"},
        {"inputs_root", "assumed:leaf-00/node-01/rfc6962"},
        {"receipt_hash", "assumed:jcs|sorted-ascii/without-receipt_hash"},
        {"verification_attestation", "assumed:leaf-00/node-01/rfc6962|duplicate"},
        {"origin", "specified"},
    };
    ASSERT_EQ(report.checks.size(), expected.size());
    ASSERT_EQ(std::size(offline_check_names), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const offline_check& c = report.checks[i];
        EXPECT_EQ(c.name, expected[i].first);
        EXPECT_EQ(c.name, offline_check_names[i]);
        EXPECT_EQ(c.basis_text(), expected[i].second) << c.name;
        EXPECT_FALSE(c.reason.empty()) << c.name;
        const bool open = c.name == "specification" || c.name == "origin";
        EXPECT_EQ(c.verdict, open ? check_verdict::not_checkable : check_verdict::verified) << c.name << c.reason;
    }
    EXPECT_EQ(report.chunks_reexecuted, (std::vector<std::uint64_t>{0, 2}));
    EXPECT_EQ(report.chunks_not_reexecuted, (std::vector<std::uint64_t>{1}));
    EXPECT_TRUE(report.pins.pinned(pin_kind::outputs_root));
    EXPECT_TRUE(report.pins.pinned(pin_kind::inputs_root));
    EXPECT_TRUE(report.pins.pinned(pin_kind::output_commitment));
    EXPECT_FALSE(report.pins.pinned(pin_kind::receipt_hash));

    const offline_report later = check(issued_job(plan_of(2, 9, 2)), report.pins);
    EXPECT_EQ(failures_of(later), "");
    EXPECT_EQ(later.find("output_commitment")->basis_text(), "pinned:sha256");
    EXPECT_EQ(later.find("outputs_root")->basis_text(), "pinned:leaf-00/node-01/rfc6962");
    EXPECT_EQ(later.find("receipt_hash")->basis_text(), "pinned:jcs|sorted-ascii/without-receipt_hash");
    EXPECT_TRUE(later.pins.pinned(pin_kind::verification_attestation))
        << "five re-executed chunks tell the rules apart";
}

TEST(offline_check, every_scheme_is_found_and_no_other) {
    for (const hash_scheme& hash : hash_schemes()) {
        for (const tree_scheme& tree : output_tree_schemes()) {
            job_plan plan = plan_of(3, 14, 2);
            plan.scheme = receipt_scheme(hash, tree);
            plan.commits =
                tree.odd == odd_rule::duplicate ? commitment_encoding::sha256_twice : commitment_encoding::sha256;
            const offline_report report = check(issued_job(plan));
            ASSERT_EQ(failures_of(report), "") << name_of(plan.scheme);
            ASSERT_EQ(verdict_of(report, "receipt_hash"), check_verdict::verified) << name_of(plan.scheme);
            const auto& hashes = report.find("receipt_hash")->schemes;
            ASSERT_NE(std::ranges::find(hashes, name_of(hash)), hashes.end()) << name_of(plan.scheme);
            ASSERT_EQ(report.find("outputs_root")->schemes, std::vector<std::string>{name_of(tree)});
            ASSERT_EQ(report.find("inputs_root")->schemes.size(), 1U) << name_of(plan.scheme);
            ASSERT_EQ(report.find("output_commitment")->schemes, std::vector<std::string>{name_of(plan.commits)});
            ASSERT_EQ(report.find("output_commitment")->basis,
                      plan.commits == commitment_encoding::sha256 ? check_basis::implied : check_basis::assumed);
        }
    }
}

// A service whose trees, hashes and commitments no scheme describes.
issued_job strange_job(std::uint64_t number) {
    issued_job job(plan_of(number));
    job.proof["outputs_root"] = to_hex(sha256_of("strange outputs"));
    job.proof["inputs_root"] = "sha256:" + to_hex(sha256_of("strange inputs"));
    job.proof["verification_attestation"] = "zk:AAAA";
    job.proof["receipt_hash"] = to_hex(sha256_of("strange receipt"));
    for (expected_chunk& chunk : job.known.results->chunks) {
        chunk.commitment = to_hex(sha256_of("strange " + std::to_string(chunk.index)));
    }
    return job;
}

// A scheme of another version may have commitments that are not 64 digits.
TEST(offline_check, a_commitment_of_another_form_is_open_where_a_candidate_is_not_known_here) {
    const std::string known_tree = name_of(tree_scheme());
    const struct {
        std::vector<std::string> trees;
        std::vector<std::string> encodings;
        check_verdict expected;
    } cases[] = {
        {{}, {}, check_verdict::not_checkable},
        {{known_tree}, {}, check_verdict::failed},
        {{known_tree}, {"sha256"}, check_verdict::failed},
        {{known_tree}, {"sha512"}, check_verdict::not_checkable},
        {{known_tree}, {"sha256", "sha512"}, check_verdict::not_checkable},
        {{known_tree, "leaf-sha512/node-01/rfc6962"}, {"sha256"}, check_verdict::not_checkable},
        {{"leaf-sha512/node-01/rfc6962"}, {"sha512"}, check_verdict::not_checkable},
    };
    issued_job job(job_plan{});
    job.known.results->chunks[0].commitment = std::string(128, 'a');
    for (const auto& c : cases) {
        account_pins pins;
        for (const pin_kind kind : {pin_kind::outputs_root, pin_kind::verification_attestation}) {
            pins.set(kind, c.trees);
        }
        pins.set(pin_kind::output_commitment, c.encodings);
        const auto report = verify_receipt_offline(job.receipt_text(), job.evidence(), pins);
        for (const char* name : {"outputs_root", "verification_attestation"}) {
            EXPECT_EQ(report.find(name)->verdict, c.expected) << name << report.text();
        }
    }
}

TEST(offline_check, an_unknown_scheme_is_neither_failed_nor_verified) {
    const offline_report report = check(strange_job(4));
    EXPECT_EQ(failures_of(report), "");
    for (const pin_kind kind : pin_kinds) {
        const offline_check& c = *report.find(to_string(kind));
        EXPECT_EQ(c.verdict, check_verdict::not_checkable) << c.name;
        EXPECT_EQ(c.basis_text(), "none") << c.name;
    }
    EXPECT_EQ(report.pins, account_pins());
}

TEST(offline_check, under_pins_the_same_is_failed) {
    const account_pins pins = check(issued_job(plan_of(5, 18, 2))).pins;
    const offline_report report = check(strange_job(6), pins);
    EXPECT_EQ(failures_of(report), "output_commitment,outputs_root,inputs_root,receipt_hash,verification_attestation");
    EXPECT_EQ(report.find("outputs_root")->basis_text(), "pinned:leaf-00/node-01/rfc6962");
    EXPECT_EQ(report.pins, pins);
}

TEST(offline_check, a_pin_of_another_version_is_not_checkable) {
    account_pins pins;
    for (const pin_kind kind : pin_kinds) {
        pins.set(kind, {"jcs2/sha3"});
    }
    const offline_report report = check(issued_job(plan_of(7)), pins);
    EXPECT_EQ(failures_of(report), "");
    for (const pin_kind kind : pin_kinds) {
        const offline_check& c = *report.find(to_string(kind));
        EXPECT_EQ(c.verdict, check_verdict::not_checkable) << c.name;
        EXPECT_EQ(c.basis_text(), "pinned:jcs2/sha3");
    }
    EXPECT_EQ(report.pins, pins);
}

TEST(offline_check, candidates_narrow_until_one_is_left) {
    // One chunk: only the leaf's encoding shows.
    offline_report report = check(issued_job(plan_of(8, 4, 4)));
    EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::verified);
    EXPECT_EQ(report.find("outputs_root")->basis_text(),
              "assumed:leaf-00/node-01|node-plain|node-hex/rfc6962|duplicate");
    EXPECT_EQ(report.pins.candidates(pin_kind::outputs_root).size(), 6U);
    // Two: the nodes' too.
    report = check(issued_job(plan_of(9, 8, 4)), report.pins);
    EXPECT_EQ(report.find("outputs_root")->basis_text(), "pinned:leaf-00/node-01/rfc6962|duplicate");
    EXPECT_FALSE(report.pins.pinned(pin_kind::outputs_root));
    // Three: the odd node's rule.
    report = check(issued_job(plan_of(10, 12, 4)), report.pins);
    EXPECT_EQ(report.find("outputs_root")->basis_text(), "pinned:leaf-00/node-01/rfc6962");
    EXPECT_TRUE(report.pins.pinned(pin_kind::outputs_root));
}

TEST(offline_check, what_candidates_disagree_on_is_not_failed) {
    const account_pins one_chunk = check(issued_job(plan_of(11, 4, 4))).pins;
    // Another root over one chunk is wrong under every candidate.
    issued_job single(plan_of(12, 4, 4));
    single.proof["outputs_root"] = to_hex(sha256_of("else"));
    EXPECT_EQ(verdict_of(check(single, one_chunk), "outputs_root"), check_verdict::failed);
    // Over three it may be of nodes that no earlier receipt showed.
    issued_job three(plan_of(13, 12, 4));
    three.proof["outputs_root"] = to_hex(sha256_of("else"));
    const offline_report report = check(three, one_chunk);
    EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::not_checkable);
    EXPECT_EQ(report.pins.candidates(pin_kind::outputs_root), one_chunk.candidates(pin_kind::outputs_root));
}

// A root over leaves and nodes of the RFC, each level filled up with zeros to an even number: in no registry, and on
// full levels like two that are.
std::string zero_filled_root(std::vector<digest> level) {
    for (digest& leaf : level) {
        leaf = leaf_hash(leaf);
    }
    while (level.size() > 1) {
        if (level.size() % 2 != 0) {
            level.emplace_back();
        }
        for (std::size_t i = 0; i < level.size() / 2; ++i) {
            level[i] = node_hash(level[2 * i], level[2 * i + 1]);
        }
        level.resize(level.size() / 2);
    }
    return to_hex(level.front());
}

TEST(offline_check, a_scheme_that_is_known_in_part_is_never_failed) {
    account_pins pins;
    for (const std::uint64_t chunks : {1, 2, 1, 3, 4, 5, 2, 7, 8, 6, 9, 16}) {
        issued_job job(plan_of(50 + chunks, chunks, 1));
        std::vector<digest> commitments;
        for (const expected_chunk& chunk : job.known.results->chunks) {
            commitments.push_back(*digest_from_hex(*chunk.commitment));
        }
        job.proof["outputs_root"] = zero_filled_root(commitments);
        job.seal({});
        const offline_report report = check(job, pins);
        EXPECT_EQ(failures_of(report), "") << chunks;
        EXPECT_EQ(verdict_of(report, "outputs_root"),
                  std::has_single_bit(chunks) ? check_verdict::verified : check_verdict::not_checkable)
            << chunks;
        pins = report.pins;
    }
    EXPECT_EQ(pins.candidates(pin_kind::outputs_root),
              (std::vector<std::string>{"leaf-00/node-01/rfc6962", "leaf-00/node-01/duplicate"}));
}

class broken_case {
public:
    std::string_view what;
    std::function<void(issued_job&)> damage;
    std::string_view failures;   // The checks that fail under pins, in order.
    std::string_view complaint;  // In the reason of the first.
};

std::vector<expected_chunk>& chunks_of(issued_job& job) {
    return job.known.results->chunks;
}

std::vector<broken_case> parts_of_another_job() {
    static const issued_job other(plan_of(21));
    return {
        {"the receipt of another job", [](issued_job& job) { job.proof = other.proof; },
         "receipt_job,receipt_id,outputs_root,inputs_root,verification_attestation",
         "the receipt is that of job \"job_1021\", not of job \"job_1020\""},
        {"the receipt of another job, its ids rewritten",
         [](issued_job& job) {
             const auto mine = job.proof;
             job.proof = other.proof;
             job.proof["job_id"] = mine.at("job_id");
             job.proof["receipt_id"] = mine.at("receipt_id");
         },
         "outputs_root,inputs_root,receipt_hash,verification_attestation", "the receipt says"},
        {"the same, sealed again",
         [](issued_job& job) {
             const auto mine = job.proof;
             job.proof = other.proof;
             job.proof["job_id"] = mine.at("job_id");
             job.proof["receipt_id"] = mine.at("receipt_id");
             job.seal({});
         },
         "outputs_root,inputs_root,verification_attestation", "the receipt says"},
        {"the output of another job", [](issued_job& job) { job.output = other.output; }, "output_commitment",
         "chunk 0 (rows [0, 4)): its bytes have SHA-256"},
        {"the results of another job", [](issued_job& job) { job.known.results = other.known.results; },
         "results_job,output_commitment,outputs_root,verification_attestation",
         "the results are those of job \"job_1021\", not of job \"job_1020\""},
        {"results that name another receipt", [](issued_job& job) { job.known.results->receipt_id = "rcp_1"; },
         "results_job", "the results name receipt \"rcp_1\", not \"rcp_7020\""},
    };
}

std::vector<broken_case> chunks_out_of_place() {
    return {
        {"bytes of two chunks swapped",
         [](issued_job& job) {
             std::swap_ranges(job.output.begin(), job.output.begin() + 48, job.output.begin() + 48);
         },
         "output_commitment", "chunk 0 (rows [0, 4)) has the bytes committed to for chunk 1 (rows [4, 8)): chunks are"},
        {"two chunks listed in each other's place",
         [](issued_job& job) { std::swap(chunks_of(job)[0], chunks_of(job)[1]); }, "ranges,outputs_root",
         "chunk 1 (rows [4, 8)) is listed in the place of chunk 0"},
        {"two commitments swapped",
         [](issued_job& job) { std::swap(chunks_of(job)[0].commitment, chunks_of(job)[1].commitment); },
         "output_commitment,outputs_root,verification_attestation", "chunks are swapped"},
        {"a gap", [](issued_job& job) { chunks_of(job)[1].row_start = 5; }, "ranges,output_commitment",
         "chunk 1 (rows [5, 8)) leaves a gap: row 4"},
        {"an overlap", [](issued_job& job) { chunks_of(job)[1].row_start = 3; }, "ranges,output_commitment",
         "chunk 1 (rows [3, 8)) overlaps"},
        {"a chunk missing", [](issued_job& job) { chunks_of(job).erase(chunks_of(job).begin() + 1); },
         "ranges,outputs_root", "chunk 2 (rows [8, 10)) is listed in the place of chunk 1"},
        {"the last chunk missing", [](issued_job& job) { chunks_of(job).pop_back(); },
         "ranges,outputs_root,verification_attestation", "end at row 8, the job has 10 rows"},
        {"a chunk doubled", [](issued_job& job) { chunks_of(job).insert(chunks_of(job).begin(), chunks_of(job)[0]); },
         "ranges,outputs_root,verification_attestation", "chunk 0 (rows [0, 4)) is listed in the place of chunk 1"},
    };
}

std::vector<broken_case> other_damages() {
    return {
        {"chunks numbered from one",
         [](issued_job& job) {
             for (expected_chunk& chunk : chunks_of(job)) {
                 ++chunk.index;
             }
         },
         "ranges", "has number 1 instead of 0"},
        {"a row cut off", [](issued_job& job) { job.output.resize(job.output.size() - 12); },
         "output_shape,output_commitment", "has 108 bytes, which is not 10 rows of 3 float32: it was cut"},
        {"a byte too many", [](issued_job& job) { job.output.resize(job.output.size() + 1); }, "output_shape",
         "has 121 bytes"},
        {"other dimensions", [](issued_job& job) { job.known.dimensions = 4; }, "output_shape",
         "model \"hash-3\" gives 4"},
        {"fewer inputs", [](issued_job& job) { job.texts.pop_back(); }, "output_shape,inputs_root",
         "the job has 10 inputs"},
        {"inputs swapped", [](issued_job& job) { std::swap(job.texts[0], job.texts[9]); }, "inputs_root",
         "recomputed from the 10 inputs it is"},
        {"another input", [](issued_job& job) { job.texts[4] += ' '; }, "inputs_root", "recomputed from the 10 inputs"},
        {"another specification", [](issued_job& job) { job.known.spec_hash = "ab"; }, "specification",
         "that of earlier receipts for model \"hash-3\" is \"ab\""},
        {"an unknown field changed", [](issued_job& job) { job.proof["new_field"] = 1; }, "receipt_hash",
         "recomputed from the receipt's own fields"},
        {"a chunk more said to be re-executed", [](issued_job& job) { chunks_of(job)[1].sampled = true; },
         "verification_attestation", "the 3 commitments of chunks listed as re-executed"},
        {"nothing said to be re-executed",
         [](issued_job& job) {
             for (expected_chunk& chunk : chunks_of(job)) {
                 chunk.sampled = false;
             }
         },
         "verification_attestation", "the 0 commitments"},
        {"a commitment in capitals",
         [](issued_job& job) {
             for (char& c : *chunks_of(job)[0].commitment) {
                 c = static_cast<char>(std::toupper(c));
             }
         },
         "output_commitment,outputs_root,verification_attestation", "chunk 0 (rows [0, 4))"},
    };
}

TEST(offline_check, names_what_is_wrong) {
    const account_pins pins = check(issued_job(plan_of(20, 18, 2))).pins;
    for (const auto& cases : {parts_of_another_job(), chunks_out_of_place(), other_damages()}) {
        for (const broken_case& c : cases) {
            issued_job job(plan_of(20));
            c.damage(job);
            const offline_report report = check(job, pins);
            EXPECT_EQ(failures_of(report), c.failures) << c.what << "\n" << report.text();
            if (const offline_check* first = report.first_failed()) {
                EXPECT_NE(first->reason.find(c.complaint), std::string::npos) << c.what << ": " << first->reason;
            }
            EXPECT_EQ(report.pins, pins) << c.what;
        }
    }
}

// One way to damage a whole job, and the check that must name it.
class whole_damage {
public:
    std::string_view check;
    std::function<void(issued_job&, const issued_job& other, std::mt19937_64&)> apply;
};

// Two different chunks of a job that has two at least.
std::pair<std::size_t, std::size_t> two_chunks(issued_job& job, std::mt19937_64& random) {
    const std::size_t first = random() % chunks_of(job).size();
    const std::size_t step = 1 + random() % (chunks_of(job).size() - 1);
    return {first, (first + step) % chunks_of(job).size()};
}

const std::vector<whole_damage>& whole_damages() {
    using random_bits = std::mt19937_64;
    static const std::vector<whole_damage> all = {
        {"receipt_job", [](issued_job& job, const issued_job& other, random_bits&) { job.proof = other.proof; }},
        {"output_commitment",
         [](issued_job& job, const issued_job& other, random_bits&) { job.output = other.output; }},
        {"results_job",
         [](issued_job& job, const issued_job& other, random_bits&) { job.known.results = other.known.results; }},
        {"outputs_root",
         [](issued_job& job, const issued_job& other, random_bits&) {
             chunks_of(job) = other.known.results->chunks;
             job.output = other.output;
         }},
        {"output_commitment",
         [](issued_job& job, const issued_job&, random_bits& random) {
             const auto [a, b] = two_chunks(job, random);
             std::swap(chunks_of(job)[a].commitment, chunks_of(job)[b].commitment);
         }},
        {"ranges",
         [](issued_job& job, const issued_job&, random_bits& random) {
             const auto [a, b] = two_chunks(job, random);
             std::swap(chunks_of(job)[a], chunks_of(job)[b]);
         }},
        {"ranges",
         [](issued_job& job, const issued_job&, random_bits& random) {
             auto& start = chunks_of(job)[random() % chunks_of(job).size()].row_start;
             start += random() % 2 == 0 && start > 0 ? -1 : 1;
         }},
        {"ranges",
         [](issued_job& job, const issued_job&, random_bits& random) {
             const auto at = static_cast<std::ptrdiff_t>(random() % chunks_of(job).size());
             chunks_of(job).erase(chunks_of(job).begin() + at);
         }},
        {"output_shape", [](issued_job& job, const issued_job&,
                            random_bits& random) { job.output.resize(random() % job.output.size()); }},
    };
    return all;
}

TEST(offline_check, names_whole_damages_of_any_job) {
    std::mt19937_64 random(77);
    for (std::uint64_t round = 0; round < testing::repetitions(2000); ++round) {
        const std::uint64_t chunk_size = 1 + random() % 5;
        const std::uint64_t rows = chunk_size + 1 + random() % 30;
        issued_job job(plan_of(100 + 2 * round, rows, chunk_size));
        const issued_job other(plan_of(101 + 2 * round, rows, chunk_size));
        const account_pins pins = check(other).pins;
        ASSERT_EQ(failures_of(check(job, pins)), "");
        const whole_damage& damage = whole_damages()[round % whole_damages().size()];
        damage.apply(job, other, random);
        const offline_report report = check(job, pins);
        ASSERT_EQ(verdict_of(report, damage.check), check_verdict::failed) << round << "\n" << report.text();
        ASSERT_FALSE(report.find(damage.check)->reason.empty());
        ASSERT_NE(verdict_of(check(job), damage.check), check_verdict::verified) << round;
    }
}

TEST(offline_check, without_pins_one_chunk_that_fits_shows_that_another_does_not) {
    issued_job job(plan_of(30));
    job.output[0] ^= std::byte{1};
    const offline_report report = check(job);
    EXPECT_EQ(failures_of(report), "output_commitment");
    EXPECT_EQ(report.find("output_commitment")->basis_text(), "implied");
    EXPECT_EQ(report.pins, account_pins()) << "a report with a failure teaches nothing";

    // Where all chunks are swapped none is in its place, and yet the bytes have commitments of the list.
    issued_job two(plan_of(31, 8, 4));
    std::swap_ranges(two.output.begin(), two.output.begin() + 48, two.output.begin() + 48);
    EXPECT_EQ(failures_of(check(two)), "output_commitment");

    issued_job single(plan_of(32, 4, 4));
    single.output[0] ^= std::byte{1};
    const offline_report alone = check(single);
    EXPECT_EQ(failures_of(alone), "");
    EXPECT_EQ(verdict_of(alone, "output_commitment"), check_verdict::not_checkable);
}

TEST(offline_check, numbers_from_one_are_a_question_without_pins) {
    issued_job job(plan_of(33));
    for (expected_chunk& chunk : chunks_of(job)) {
        ++chunk.index;
    }
    const offline_report report = check(job);
    EXPECT_EQ(failures_of(report), "");
    EXPECT_EQ(verdict_of(report, "ranges"), check_verdict::not_checkable);
    EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::verified);
    EXPECT_TRUE(report.pins.candidates(pin_kind::outputs_root).empty()) << "not learned from places in doubt";
    EXPECT_TRUE(report.pins.pinned(pin_kind::inputs_root));
}

TEST(offline_check, what_is_not_at_hand_is_not_checkable) {
    const issued_job job(plan_of(34));
    const account_pins pins = check(issued_job(plan_of(35, 18, 2))).pins;
    offline_evidence little;
    little.job_id = job.known.job_id;
    little.rows = 10;
    for (const account_pins& known : {account_pins(), pins}) {
        const offline_report report = verify_receipt_offline(job.receipt_text(), little, known);
        EXPECT_EQ(failures_of(report), "");
        for (const offline_check& c : report.checks) {
            const bool possible = c.name == "receipt_form" || c.name == "receipt_job" || c.name == "receipt_hash";
            EXPECT_EQ(c.verdict, possible ? check_verdict::verified : check_verdict::not_checkable) << c.name;
        }
        EXPECT_TRUE(report.chunks_reexecuted.empty());
    }
    offline_evidence without_commitments = job.evidence();
    without_commitments.results->chunks[1].commitment.reset();
    const offline_report report = verify_receipt_offline(job.receipt_text(), without_commitments, pins);
    EXPECT_EQ(failures_of(report), "");
    EXPECT_EQ(verdict_of(report, "output_commitment"), check_verdict::not_checkable);
    EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::not_checkable);
    EXPECT_EQ(verdict_of(report, "verification_attestation"), check_verdict::verified) << "chunk 1 is not of them";
}

TEST(offline_check, an_attestation_of_another_kind_is_not_checkable) {
    job_plan plan = plan_of(36);
    plan.attests = false;
    const offline_report report = check(issued_job(plan));
    EXPECT_EQ(failures_of(report), "");
    EXPECT_EQ(verdict_of(report, "verification_attestation"), check_verdict::not_checkable);
    EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::verified);
}

TEST(offline_check, says_that_it_is_no_receipt) {
    const issued_job job(plan_of(37));
    const std::string good = job.receipt_text();
    const auto without = [&job](const char* field) {
        auto proof = job.proof;
        proof.erase(field);
        return boost::json::serialize(proof);
    };
    const auto with = [&job](const char* field, const boost::json::value& value) {
        auto proof = job.proof;
        proof[field] = value;
        return boost::json::serialize(proof);
    };
    for (const std::string& text :
         {std::string(), std::string("<html>"), std::string("[]"), std::string("null"), good + "x",
          good.substr(0, good.size() - 1), "{\"job_id\":\"x\"," + good.substr(1), without("job_id"),
          without("receipt_hash"), without("spec_hash"), with("job_id", 7), with("inputs_root", nullptr),
          with("job_id", "a\x7f"), "{\"x\":\"" + std::string(receipt_bytes_max, 'x') + "\"," + good.substr(1),
          std::string(100'000, '[')}) {
        const offline_report report = verify_receipt_offline(text, job.evidence());
        EXPECT_EQ(failures_of(report), "receipt_form") << text.substr(0, 300);
        EXPECT_EQ(verdict_of(report, "output_commitment"), check_verdict::verified);
        EXPECT_EQ(verdict_of(report, "outputs_root"), check_verdict::not_checkable);
        EXPECT_EQ(report.checks.size(), std::size(offline_check_names));
    }
    EXPECT_EQ(failures_of(verify_receipt_offline(without("verification_attestation"), job.evidence())), "");
}

// Nobody needs them, so nothing in them can be wrong.
TEST(offline_check, unknown_fields_of_a_receipt_may_hold_any_text) {
    const issued_job job(plan_of(37));
    const std::string good = job.receipt_text();
    for (const char* field : {R"("note":"two\nlines")", R"("note":"\u0000\u007f")", R"("note":"\ud83d")", R"("a\nb":1)",
                              R"("executor_attestation_ids_too":["a\tb",{"c":"\n"}])"}) {
        const offline_report report =
            verify_receipt_offline("{" + std::string(field) + "," + good.substr(1), job.evidence());
        EXPECT_EQ(verdict_of(report, "receipt_form"), check_verdict::verified) << field;
        EXPECT_EQ(verdict_of(report, "receipt_job"), check_verdict::verified) << field;
    }
}

TEST(offline_check, survives_any_evidence) {
    const issued_job job(plan_of(38));
    constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
    offline_evidence odd = job.evidence();
    odd.rows = huge;
    odd.dimensions = 0;
    odd.output->rows = huge;
    odd.output->dimensions = huge / 2;
    odd.output->chunk_digests.pop_back();
    odd.results->chunks[0].row_end = huge;
    odd.results->chunks[2].commitment = "";
    const offline_report report = verify_receipt_offline(job.receipt_text(), odd);
    EXPECT_EQ(failures_of(report), "ranges,output_shape,output_commitment,inputs_root") << report.text();
    EXPECT_NE(report.find("output_commitment")->reason.find("holds 2 whole chunks, the results list 3"),
              std::string::npos);
    offline_evidence none;
    none.results.emplace();
    none.output.emplace();
    none.inputs.emplace();
    EXPECT_EQ(failures_of(verify_receipt_offline(job.receipt_text(), none)), "receipt_job");
}

TEST(offline_check, survives_any_text) {
    const issued_job job(plan_of(41));
    const offline_evidence evidence = job.evidence();
    const account_pins pins = check(job).pins;
    const std::string good = job.receipt_text();
    std::mt19937_64 random(9);
    for (int round = 0; round < 3000; ++round) {
        std::string text = good;
        for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
            const std::size_t at = random() % (text.size() + 1);
            const std::size_t from = random() % good.size();
            switch (random() % 3) {
                case 0: text.erase(at, random() % 40); break;
                case 1: text.insert(at, good, from, random() % 40); break;
                default: text.insert(at, 1, static_cast<char>(random())); break;
            }
        }
        const offline_report report = verify_receipt_offline(text, evidence, pins);
        ASSERT_EQ(report.checks.size(), std::size(offline_check_names));
        ASSERT_TRUE(report.text().ends_with(std::string(origin_line) + "\n"));
        const auto canonical = canonical_json(text);
        if (!canonical || *canonical != *canonical_json(good)) {
            ASSERT_NE(failures_of(report), "") << text;
        }
    }
}

TEST(offline_check, the_page_ends_with_the_origin) {
    issued_job job(plan_of(39, 30, 1));
    job.proof["job_id"] = "x\x1b[31m" + std::string(500, 'y');
    offline_report report = check(job);
    const std::string page = report.text();
    EXPECT_TRUE(page.ends_with(std::string(origin_line) + "\n")) << page;
    EXPECT_EQ(page.find('\x1b'), std::string::npos);
    EXPECT_EQ(page.find(std::string(100, 'y')), std::string::npos);
    EXPECT_NE(page.find("it did not re-execute: 1, 3, 5,"), std::string::npos) << page;
    report.chunks_reexecuted = {0, 1, 2, 5, 7, 8};
    report.chunks_not_reexecuted.clear();
    for (std::uint64_t i = 0; i < 50; ++i) {
        report.chunks_not_reexecuted.push_back(2 * i);
    }
    EXPECT_NE(report.text().find("says it re-executed: 0-2, 5, 7-8\n"), std::string::npos) << report.text();
    EXPECT_NE(report.text().find(", 38 and 30 more\n"), std::string::npos) << report.text();
    report.chunks_reexecuted.clear();
    EXPECT_NE(report.text().find("says it re-executed: none\n"), std::string::npos);
}

TEST(offline_check, tells_which_required_checks_are_not_verified) {
    const offline_report report = check(issued_job(plan_of(40)));
    const std::vector<std::string> required = {"ranges", "origin", "specification", "no such check"};
    EXPECT_EQ(report.not_verified(required), (std::vector<std::string>{"origin", "specification", "no such check"}));
    EXPECT_EQ(report.first_failed(), nullptr);
    EXPECT_EQ(report.find("no such check"), nullptr);
}

}  // namespace
}  // namespace vembed
