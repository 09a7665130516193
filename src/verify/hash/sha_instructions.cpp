#include "verify/hash/sha_instructions.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <utility>

namespace vembed::verify {
namespace {

// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One message in registers. The instructions take the state as two vectors, named from their highest element down.
class lane {
public:
    __m128i abef;
    __m128i cdgh;
    __m128i words[4];  // The last sixteen words of the message schedule.
};

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void load(lane& to, const sha256_state& from) {
    const auto* vectors = reinterpret_cast<const __m128i*>(from.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(vectors), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(vectors + 1), 0x1b);
    to.abef = _mm_alignr_epi8(cdab, efgh, 8);
    to.cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void store(const lane& from, sha256_state& to) {
    auto* vectors = reinterpret_cast<__m128i*>(to.data());
    const __m128i feba = _mm_shuffle_epi32(from.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(from.cdgh, 0xb1);
    _mm_storeu_si128(vectors, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(vectors + 1, _mm_alignr_epi8(dchg, feba, 8));
}

/// Computes words 4 * step to 4 * step + 3 of the schedule and stores them over the oldest four.
template <int step>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void extend(lane& of, const std::byte* block) {
    __m128i& oldest = of.words[step % 4];
    if constexpr (step < 4) {
        const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        const auto* vectors = reinterpret_cast<const __m128i*>(block);
        oldest = _mm_shuffle_epi8(_mm_loadu_si128(vectors + step), big_endian);
    } else {
        const __m128i newest = of.words[(step + 3) % 4];
        const __m128i middle = _mm_alignr_epi8(newest, of.words[(step + 2) % 4], 4);
        oldest = _mm_sha256msg1_epu32(oldest, of.words[(step + 1) % 4]);
        oldest = _mm_sha256msg2_epu32(_mm_add_epi32(oldest, middle), newest);
    }
}

template <int step>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void four_rounds(lane& of, const std::byte* block) {
    extend<step>(of, block);
    const auto* constants = reinterpret_cast<const __m128i*>(round_constants) + step;
    const __m128i sums = _mm_add_epi32(of.words[step % 4], _mm_load_si128(constants));
    of.cdgh = _mm_sha256rnds2_epu32(of.cdgh, of.abef, sums);
    of.abef = _mm_sha256rnds2_epu32(of.abef, of.cdgh, _mm_shuffle_epi32(sums, 0x0e));
}

using all_steps = std::make_integer_sequence<int, 16>;

template <int... step>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void take_block(lane& of, const std::byte* block,
                                                                         std::integer_sequence<int, step...>) {
    const __m128i abef = of.abef;
    const __m128i cdgh = of.cdgh;
    (four_rounds<step>(of, block), ...);
    of.abef = _mm_add_epi32(of.abef, abef);
    of.cdgh = _mm_add_epi32(of.cdgh, cdgh);
}

/// The two messages alternate, so that each step finds the other's results ready.
template <int... step>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void take_blocks(lane& first, const std::byte* first_block,
                                                                          lane& second, const std::byte* second_block,
                                                                          std::integer_sequence<int, step...>) {
    const lane first_before = first;
    const lane second_before = second;
    ((four_rounds<step>(first, first_block), four_rounds<step>(second, second_block)), ...);
    first.abef = _mm_add_epi32(first.abef, first_before.abef);
    first.cdgh = _mm_add_epi32(first.cdgh, first_before.cdgh);
    second.abef = _mm_add_epi32(second.abef, second_before.abef);
    second.cdgh = _mm_add_epi32(second.cdgh, second_before.cdgh);
}

[[gnu::target("sha,sse4.1")]] void take_one(sha256_state& state, const std::byte* from, std::size_t blocks) {
    lane message;
    load(message, state);
    for (; blocks > 0; --blocks, from += sha256_block_bytes) {
        take_block(message, from, all_steps());
    }
    store(message, state);
}

[[gnu::target("sha,sse4.1")]] void take_both(sha256_state& first_state, const std::byte* first_from,
                                             sha256_state& second_state, const std::byte* second_from,
                                             std::size_t blocks) {
    lane first;
    lane second;
    load(first, first_state);
    load(second, second_state);
    for (; blocks > 0; --blocks, first_from += sha256_block_bytes, second_from += sha256_block_bytes) {
        take_blocks(first, first_from, second, second_from, all_steps());
    }
    store(first, first_state);
    store(second, second_state);
}

constexpr sha_instructions x86_instructions{take_one, take_both};

bool processor_has_them() noexcept {
    constexpr unsigned sse41 = 1u << 19;  // Leaf 1, ECX.
    constexpr unsigned sha = 1u << 29;    // Leaf 7, EBX.
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & sse41) == 0) {
        return false;
    }
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & sha) != 0;
}

}  // namespace

const sha_instructions* find_sha_instructions() noexcept {
    static const bool there = processor_has_them();
    return there ? &x86_instructions : nullptr;
}

}  // namespace vembed::verify

#else

namespace vembed::verify {

const sha_instructions* find_sha_instructions() noexcept {
    return nullptr;
}

}  // namespace vembed::verify

#endif
