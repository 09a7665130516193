// Any single flipped bit of what a receipt is checked against is found: failed once a scheme is pinned, never verified
// before. VEMBED_FLIPS=100000 sets how many flips are tried.
//
// A re-executed chunk more or less is another shape of the attestation's tree: it fails where the tree's scheme is
// pinned, and is not checkable where earlier receipts left several.

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "support/repetitions.hpp"
#include "verify/issued_job.hpp"

namespace vembed {
namespace {

using testing_support::issued_job;
using testing_support::job_plan;

// A receipt and its evidence, with one bit to be flipped somewhere.
class bench {
public:
    issued_job job;
    std::string receipt_text;

    explicit bench(const job_plan& plan) : job(plan), receipt_text(job.receipt_text()) {}

    [[nodiscard]] offline_report check(const account_pins& pins) const {
        return verify_receipt_offline(receipt_text, job.evidence(), pins);
    }
};

void flip_bit_of(std::string& text, std::uint64_t random) {
    const std::uint64_t bit = random % (8 * text.size());
    text[bit / 8] = static_cast<char>(static_cast<unsigned char>(text[bit / 8]) ^ (1U << bit % 8));
}

enum class target : std::uint8_t { output, commitment, range, index, sampled, id, receipt, input };
constexpr target targets[] = {target::output,  target::commitment, target::range,   target::index,
                              target::sampled, target::id,         target::receipt, target::input};

void flip(bench& at, target where, std::mt19937_64& random) {
    auto& chunks = at.job.known.results->chunks;
    expected_chunk& chunk = chunks[random() % chunks.size()];
    std::string* const ids[] = {&at.job.known.job_id, &at.job.known.receipt_id, &at.job.known.results->job_id,
                                &*at.job.known.results->receipt_id};
    switch (where) {
        case target::output: {
            const std::uint64_t bit = random() % (8 * at.job.output.size());
            at.job.output[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
            break;
        }
        case target::commitment: flip_bit_of(*chunk.commitment, random()); break;
        case target::range:
            (random() % 2 == 0 ? chunk.row_start : chunk.row_end) ^= std::uint64_t{1} << random() % 64;
            break;
        case target::index: chunk.index ^= std::uint64_t{1} << random() % 64; break;
        case target::sampled: chunk.sampled = !chunk.sampled; break;
        case target::id: flip_bit_of(*ids[random() % std::size(ids)], random()); break;
        case target::receipt: flip_bit_of(at.receipt_text, random()); break;
        case target::input: flip_bit_of(at.job.texts[random() % at.job.texts.size()], random()); break;
    }
}

std::size_t count(const offline_report& report, check_verdict verdict) {
    return static_cast<std::size_t>(std::ranges::count(report.checks, verdict, &offline_check::verdict));
}

// A job's shape and scheme, and what the account's pins come from.
class setting {
public:
    job_plan plan;
    account_pins pins;

    setting(std::uint64_t rows, std::uint64_t chunk_size, const char* scheme, commitment_encoding commits) {
        plan.number = 50 + rows;
        plan.rows = rows;
        plan.chunk_size = chunk_size;
        plan.scheme = receipt_scheme_named(scheme).value();
        plan.commits = commits;
        // An earlier receipt of the same shape; where it leaves several candidates, they agree on this shape.
        job_plan earlier = plan;
        earlier.number = 1;
        pins = bench(earlier).check({}).pins;
    }
};

TEST(flips, any_single_bit_is_found) {
    const std::vector<setting> settings = {
        {10, 4, "jcs/without-receipt_hash/leaf-00/node-01/rfc6962", commitment_encoding::sha256},
        {7, 1, "jcs/without-receipt_hash/leaf-00/node-01/rfc6962", commitment_encoding::sha256},
        {3, 8, "jcs/without-receipt_hash/leaf-00/node-01/rfc6962", commitment_encoding::sha256},
        {10, 2, "as-sent/empty-receipt_hash/leaf-hex/node-hex/duplicate", commitment_encoding::sha256_twice},
        {9, 3, "sorted-ascii/empty-receipt_hash/leaf-digest/node-plain/rfc6962", commitment_encoding::sha256},
    };
    std::mt19937_64 random(2025);
    std::map<target, std::size_t> tried;
    const std::size_t wanted = testing::number_from("VEMBED_FLIPS", testing::repetitions(20'000, 20));
    for (std::size_t i = 0; i < wanted; ++i) {
        const setting& with = settings[i % settings.size()];
        const target where = targets[random() % std::size(targets)];
        const std::uint64_t seed = random();
        bench at(with.plan);
        const std::size_t sound = count(at.check(with.pins), check_verdict::verified);
        ASSERT_EQ(sound, std::size(offline_check_names) - 2) << at.check(with.pins).text();
        std::mt19937_64 own(seed);
        flip(at, where, own);
        const offline_report pinned = at.check(with.pins);
        const bool must_fail = where != target::sampled || with.pins.pinned(pin_kind::verification_attestation);
        ASSERT_GE(count(pinned, check_verdict::failed), must_fail ? 1U : 0U)
            << "flip " << i << " of target " << static_cast<int>(where) << "\n"
            << at.receipt_text << "\n"
            << pinned.text();
        ASSERT_LT(count(pinned, check_verdict::verified), sound) << pinned.text();
        ASSERT_EQ(pinned.pins, with.pins);
        const offline_report unpinned = at.check({});
        ASSERT_LT(count(unpinned, check_verdict::verified), sound)
            << "flip " << i << " of target " << static_cast<int>(where) << "\n"
            << unpinned.text();
        ++tried[where];
    }
    for (const target where : targets) {
        EXPECT_GT(tried[where], wanted / 20);
    }
    RecordProperty("flips", static_cast<int>(wanted));
}

}  // namespace
}  // namespace vembed
