#include "service/jobs/text_embedding.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "service/faults/draw.hpp"

namespace vembed::service {
namespace {

constexpr std::int32_t content_weight = 4096;
constexpr std::int32_t filler_weight = 1600;
constexpr std::int32_t stop_weight = 160;
constexpr std::size_t word_bytes_max = 64;

// Function words, which say nothing about a sentence's subject. Sorted.
constexpr auto stop_words = std::to_array<std::string_view>(
    {"a",     "about", "after", "all",   "also",  "an",    "and",    "any",   "are",  "as",    "at",    "be",
     "been",  "being", "both",  "but",   "by",    "can",   "did",    "do",    "does", "e",     "each",  "etc",
     "for",   "from",  "g",     "had",   "has",   "have",  "having", "he",    "her",  "him",   "his",   "i",
     "if",    "in",    "into",  "is",    "it",    "its",   "made",   "may",   "more", "most",  "no",    "not",
     "of",    "off",   "on",    "one",   "or",    "other", "our",    "out",   "over", "s",     "she",   "so",
     "some",  "such",  "t",     "than",  "that",  "the",   "their",  "them",  "then", "there", "these", "they",
     "this",  "those", "to",    "under", "up",    "very",  "was",    "we",    "were", "what",  "when",  "where",
     "which", "while", "who",   "whom",  "whose", "will",  "with",   "would", "you",  "your"});

// Descriptive words that fit almost any subject. Sorted.
constexpr auto filler_words = std::to_array<std::string_view>(
    {"act",   "especially", "form",  "genus", "good",   "great",  "kind",  "large",   "like",    "long",
     "make",  "many",       "new",   "part",  "people", "person", "short", "small",   "someone", "something",
     "state", "tall",       "thing", "two",   "type",   "use",    "used",  "usually", "various", "way"});

static_assert(std::is_sorted(stop_words.begin(), stop_words.end()));
static_assert(std::is_sorted(filler_words.begin(), filler_words.end()));

// Letters, digits and every byte beyond ASCII, so that words of any script stay whole.
constexpr std::array<char, 256> make_word_bytes() {
    std::array<char, 256> table{};
    for (int c = 0; c < 256; ++c) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool upper = c >= 'A' && c <= 'Z';
        const bool digit = c >= '0' && c <= '9';
        const int mapped = upper ? c - 'A' + 'a' : c;
        table[static_cast<std::size_t>(c)] = static_cast<char>(lower || upper || digit || c >= 0x80 ? mapped : 0);
    }
    return table;
}
constexpr std::array<char, 256> word_bytes = make_word_bytes();

bool ends_with(std::string_view word, std::string_view suffix, std::size_t stem_min) noexcept {
    return word.size() >= suffix.size() + stem_min && word.ends_with(suffix);
}

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t salt) noexcept {
    std::uint64_t hash = salt ^ 0xcbf29ce484222325u;
    for (const char c : bytes) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    return mix64(hash);
}

}  // namespace

std::int32_t word_weight(std::string_view lower_case_word) noexcept {
    if (std::binary_search(stop_words.begin(), stop_words.end(), lower_case_word)) {
        return stop_weight;
    }
    if (std::binary_search(filler_words.begin(), filler_words.end(), lower_case_word)) {
        return filler_weight;
    }
    return content_weight;
}

std::string_view word_stem(std::string_view word, std::string& scratch) {
    if (ends_with(word, "ies", 2)) {
        scratch.assign(word.substr(0, word.size() - 3));
        return scratch += 'y';
    }
    for (const std::string_view suffix : {"ing", "ed", "ly"}) {
        if (ends_with(word, suffix, 3)) {
            std::string_view stem = word.substr(0, word.size() - suffix.size());
            const bool doubled = stem.size() > 3 && stem.back() == stem[stem.size() - 2];
            return doubled ? stem.substr(0, stem.size() - 1) : stem;
        }
    }
    if (ends_with(word, "sses", 1) || ends_with(word, "shes", 1) || ends_with(word, "ches", 1)) {
        return word.substr(0, word.size() - 2);
    }
    if (ends_with(word, "s", 3) && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is")) {
        return word.substr(0, word.size() - 1);
    }
    return word;
}

text_embedder::text_embedder(std::uint32_t dimensions, std::uint32_t words_max)
    : sums_(dimensions), words_max_(words_max) {
    word_.reserve(word_bytes_max);
}

// Each feature has two dimensions: two words that share one of them still differ in the other.
void text_embedder::add_feature(std::uint64_t hash, std::int32_t weight) noexcept {
    const std::uint64_t size = sums_.size();
    const auto first = static_cast<std::size_t>(((hash & 0xffffffffu) * size) >> 32);
    const std::uint64_t again = hash * 0x9e3779b97f4a7c15u;
    const auto second = static_cast<std::size_t>(((again >> 32) * size) >> 32);
    sums_[first] += (hash >> 63) != 0 ? weight : -weight;
    sums_[second] += (again & 0x10000u) != 0 ? weight : -weight;
}

void text_embedder::add_grams(std::string_view word, std::int32_t weight) noexcept {
    std::array<char, word_bytes_max + 2> marked;
    marked[0] = '<';
    std::copy(word.begin(), word.end(), marked.begin() + 1);
    marked[word.size() + 1] = '>';
    const std::size_t size = word.size() + 2;
    const std::size_t count = 3 * size - 9;  // the grams of 3, 4 and 5 bytes, for size >= 5
    const auto each = static_cast<std::int32_t>(weight / std::sqrt(static_cast<double>(count)));
    for (std::size_t begin = 0; begin + 3 <= size; ++begin) {
        for (std::size_t length = 3; length <= 5 && begin + length <= size; ++length) {
            add_feature(hash_bytes(std::string_view(marked.data() + begin, length), 2), each);
        }
    }
}

void text_embedder::add_word(std::string_view word) noexcept {
    const std::int32_t weight = word_weight(word);
    add_feature(hash_bytes(word, 1), weight);
    if (weight == content_weight && word.size() >= 3) {
        add_grams(word, weight * 6 / 10);
    }
}

// Takes the next word from `text` into word_, or skips one byte that belongs to no word.
void text_embedder::read_word(std::string_view& text) {
    word_.clear();
    std::size_t size = 0;
    for (; size < text.size(); ++size) {
        const char c = word_bytes[static_cast<unsigned char>(text[size])];
        if (c == 0) {
            break;
        }
        if (word_.size() < word_bytes_max) {
            word_ += c;
        }
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
}

void text_embedder::embed(std::string_view text, std::span<float> row) {
    std::fill(sums_.begin(), sums_.end(), 0);
    std::uint32_t words = 0;
    for (std::string_view rest = text; !rest.empty() && words < words_max_;) {
        read_word(rest);
        if (!word_.empty()) {
            ++words;
            add_word(word_stem(word_, stem_));
        }
    }
    std::uint64_t squares = 0;
    for (const std::int32_t value : sums_) {
        squares += static_cast<std::uint64_t>(std::int64_t{value} * value);
    }
    if (squares == 0) {  // No words, or signs that cancelled: the text's bytes choose one dimension.
        sums_[static_cast<std::size_t>(hash_bytes(text, 3) % sums_.size())] = 1;
        squares = 1;
    }
    const auto length = static_cast<float>(std::sqrt(static_cast<double>(squares)));
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        row[i] = static_cast<float>(sums_[i]) / length;
    }
}

}  // namespace vembed::service
