// Writes random row proofs with the library's verdict on each, for tests/verify/proof_agreement.py:
// "<verified 0 or 1> <names of the checks verified, comma separated, or -> <bytes>\n", then so many bytes.

#include <cstdio>
#include <cstdlib>
#include <exception>

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

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
        const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
        testing_support::proof_maker maker(seed);
        for (std::uint64_t i = 0; i < count; ++i) {
            const row_proof proof = maker.make();
            const std::string text = i % 2 == 0 ? proof.to_json() : maker.damage(proof);
            const auto report = check_row_proof_text(text);
            std::printf("%d %s %zu\n", report.verified() ? 1 : 0, verified_names(report).c_str(), text.size());
            std::fwrite(text.data(), 1, text.size(), stdout);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "proof_cases: %s\n", error.what());
        return 1;
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
