// Writes random row proofs with the library's verdict on each, for tests/verify/proof_agreement.py:
// "<verified 0 or 1> <names of the checks verified, comma separated, or -> <bytes>\n", then so many bytes.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "verify/proof_cases.hpp"

namespace {

using namespace vembed;

std::string verified_names(const row_proof_report& report) {
    std::string names;
    for (const row_proof_check& check : report.checks) {
        if (check.verdict == check_verdict::verified) {
            names += (names.empty() ? "" : ",") + check.name;
        }
    }
    return names.empty() ? "-" : names;
}

// A changed proof may hold (white space, order, what nothing binds), but never of other texts, rows or chunks.
void require_same_claim(const row_proof& whole, const std::string& changed, const row_proof_expectations& expected) {
    const auto now = row_proof::from_json(changed);
    if (!now || !check_row_proof(*now, expected).verified()) {
        return;
    }
    bool same = now->row.text_sha256 == whole.row.text_sha256 && now->row.bytes == whole.row.bytes;
    if (now->platform) {
        same = same && whole.platform && now->platform->chunk.bytes == whole.platform->chunk.bytes;
    }
    if (!same) {
        throw std::logic_error("a changed proof holds and says something else: " + changed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
        const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
        testing_support::proof_maker maker(seed);
        for (std::uint64_t i = 0; i < count; ++i) {
            const row_proof proof = maker.make();
            const std::string text = i % 2 == 0 ? proof.to_json() : maker.damage(proof);
            row_proof_expectations expected;
            expected.root = proof.row.root;
            require_same_claim(proof, text, expected);
            const auto report = check_row_proof_text(text);
            if (i % 2 == 0 && (report.first_failed() != nullptr || report.verified() != maker.keeps_apart(proof))) {
                throw std::logic_error("a whole proof is not what it should be: " + report.text() + text);
            }
            std::printf("%d %s %zu\n", report.verified() ? 1 : 0, verified_names(report).c_str(), text.size());
            std::fwrite(text.data(), 1, text.size(), stdout);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "proof_cases: %s\n", error.what());
        return 1;
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
