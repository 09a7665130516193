// row_cache: what was stored comes back, to the right asker and undamaged, also when processes share it or die.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <vembed/reuse/row_cache.hpp>

#include "support/scratch.hpp"

namespace vembed {
namespace {

using testing::scratch_folder;

constexpr std::uint64_t dims = 5;
const std::string service = "https://service.example/v1";

class opened_cache {
public:
    explicit opened_cache(const std::string& folder) {
        auto opened = row_cache::open(folder);
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().describe());
        cache = opened ? std::move(*opened) : nullptr;
    }
    cache_scope use(const std::string& model = "m", const std::string& spec = "", const std::string& at = service) {
        auto scope = cache->use(at, model, spec);
        EXPECT_TRUE(scope) << (scope ? "" : scope.error().describe());
        return scope ? std::move(*scope) : cache_scope();
    }
    std::unique_ptr<row_cache> cache;
};

digest text_of(std::uint64_t number) {
    return sha256_of("text " + std::to_string(number));
}

std::vector<digest> texts_of(std::uint64_t first, std::uint64_t last) {
    std::vector<digest> texts;
    for (std::uint64_t i = first; i < last; ++i) {
        texts.push_back(text_of(i));
    }
    return texts;
}

float value_of(std::uint64_t number, std::uint64_t column, float salt = 0) {
    return static_cast<float>(number) + static_cast<float>(column) / 8 + salt;
}

std::vector<float> rows_of(std::uint64_t first, std::uint64_t last, float salt = 0, std::uint64_t dimensions = dims) {
    std::vector<float> values;
    for (std::uint64_t i = first; i < last; ++i) {
        for (std::uint64_t c = 0; c < dimensions; ++c) {
            values.push_back(value_of(i, c, salt));
        }
    }
    return values;
}

result<void> store(row_cache& cache, cache_scope& scope, std::uint64_t first, std::uint64_t last,
                   const std::string& spec_hash = "s1", float salt = 0) {
    return cache.store(scope, texts_of(first, last), rows_of(first, last, salt), dims, spec_hash);
}

// The numbers of [first, last) that the cache serves; every row served must be the right one.
std::vector<std::uint64_t> served(row_cache& cache, const cache_scope& scope, std::uint64_t first, std::uint64_t last,
                                  float salt = 0) {
    const auto texts = texts_of(first, last);
    std::vector<std::uint8_t> hits(texts.size(), 7);
    std::vector<float> values{1, 2, 3};
    auto found = cache.find(scope, texts, hits, values);
    if (!found) {
        ADD_FAILURE() << found.error();
        return {};
    }
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        if (hits[i] == 0) {
            continue;
        }
        const auto expected = rows_of(first + i, first + i + 1, salt);
        const auto at = values.begin() + static_cast<std::ptrdiff_t>(numbers.size() * dims);
        EXPECT_TRUE(values.size() >= (numbers.size() + 1) * dims && std::equal(expected.begin(), expected.end(), at))
            << "row " << first + i;
        numbers.push_back(first + i);
    }
    EXPECT_EQ(numbers.size(), *found);
    EXPECT_EQ(values.size(), *found * dims);
    return numbers;
}

TEST(row_cache, what_is_forgotten_is_not_served_and_can_be_stored_again) {
    scratch_folder scratch;
    opened_cache one(scratch.file("cache"));
    cache_scope scope = one.use();
    EXPECT_TRUE(one.cache->forget(scope, texts_of(0, 3))) << "nothing is stored yet";
    ASSERT_TRUE(one.cache->store(scope, texts_of(0, 10), rows_of(0, 10), dims, "spec"));
    ASSERT_TRUE(one.cache->forget(scope, texts_of(3, 6)));
    EXPECT_EQ(one.cache->count(scope, texts_of(0, 10)).value(), 7u);
    EXPECT_EQ(one.cache->count(scope, texts_of(3, 6)).value(), 0u);
    cache_scope other = one.use("another model");
    ASSERT_TRUE(one.cache->forget(other, texts_of(0, 10))) << "of another scope";
    EXPECT_EQ(one.cache->count(scope, texts_of(0, 10)).value(), 7u);
    ASSERT_TRUE(one.cache->store(scope, texts_of(3, 6), rows_of(3, 6, 0.5f), dims, "spec"));
    std::vector<std::uint8_t> hits(10);
    std::vector<float> values;
    ASSERT_EQ(one.cache->find(scope, texts_of(0, 10), hits, values).value(), 10u);
    EXPECT_EQ(values[3 * dims], value_of(3, 0, 0.5f));
    EXPECT_EQ(values[6 * dims], value_of(6, 0));
}

TEST(row_cache, gives_back_what_was_stored_also_to_a_later_process) {
    scratch_folder scratch;
    {
        opened_cache first(scratch.file("made/for/it"));
        auto scope = first.use();
        EXPECT_EQ(scope.spec_hash(), "");
        EXPECT_EQ(scope.dimensions(), 0u);
        EXPECT_TRUE(served(*first.cache, scope, 0, 10).empty());
        ASSERT_TRUE(store(*first.cache, scope, 2, 5));
        EXPECT_EQ(scope.spec_hash(), "s1");
        EXPECT_EQ(scope.dimensions(), dims);
        EXPECT_EQ(served(*first.cache, scope, 0, 10), (std::vector<std::uint64_t>{2, 3, 4}));
    }
    opened_cache second(scratch.file("made/for/it"));
    auto scope = second.use();
    EXPECT_EQ(scope.spec_hash(), "s1");
    EXPECT_EQ(scope.dimensions(), dims);
    ASSERT_TRUE(store(*second.cache, scope, 7, 8));
    EXPECT_EQ(served(*second.cache, scope, 0, 10), (std::vector<std::uint64_t>{2, 3, 4, 7}));
    EXPECT_EQ(*second.cache->count(scope, texts_of(0, 10)), 4u);
    EXPECT_EQ(second.cache->damaged(), 0u);
}

TEST(row_cache, texts_asked_for_out_of_order_and_twice) {
    scratch_folder scratch;
    opened_cache opened(scratch.path());
    auto scope = opened.use();
    const std::vector<digest> twice{text_of(1), text_of(0), text_of(1)};
    const auto one = rows_of(1, 2);
    const auto zero = rows_of(0, 1);
    std::vector<float> values(one);
    values.insert(values.end(), zero.begin(), zero.end());
    values.insert(values.end(), one.begin(), one.end());
    ASSERT_TRUE(opened.cache->store(scope, twice, values, dims, "s1"));
    EXPECT_EQ(std::filesystem::file_size(scratch.file("rows.f32")), 2 * dims * sizeof(float));
    std::vector<std::uint8_t> hits(3);
    std::vector<float> got;
    EXPECT_EQ(*opened.cache->find(scope, twice, hits, got), 3u);
    EXPECT_EQ(got, values);
}

TEST(row_cache, rows_of_another_service_model_or_spec_are_not_served) {
    scratch_folder scratch;
    opened_cache opened(scratch.path());
    auto scope = opened.use("m");
    ASSERT_TRUE(store(*opened.cache, scope, 0, 3));
    for (auto other : {opened.use("m2"), opened.use("", "abcd"), opened.use("m", "", "https://other.example"),
                       opened.use("M"), opened.use("", "m")}) {
        EXPECT_EQ(other.spec_hash(), "");
        EXPECT_TRUE(served(*opened.cache, other, 0, 3).empty());
    }
    // They may hold the same texts with other values.
    auto other = opened.use("m2");
    ASSERT_TRUE(store(*opened.cache, other, 0, 3, "s1", 100));
    EXPECT_EQ(served(*opened.cache, other, 0, 3, 100).size(), 3u);
    EXPECT_EQ(served(*opened.cache, scope, 0, 3).size(), 3u);
}

TEST(row_cache, the_newest_spec_hash_is_the_one_that_answers) {
    scratch_folder scratch;
    opened_cache opened(scratch.path());
    auto old = opened.use();
    ASSERT_TRUE(store(*opened.cache, old, 0, 4, "s1"));
    auto scope = old;
    ASSERT_TRUE(store(*opened.cache, scope, 2, 3, "s2", 100));
    EXPECT_EQ(scope.spec_hash(), "s2");
    EXPECT_EQ(served(*opened.cache, scope, 0, 4, 100), std::vector<std::uint64_t>{2});
    EXPECT_EQ(opened.use().spec_hash(), "s2");
    // A run that pinned the older one goes on with that.
    EXPECT_EQ(served(*opened.cache, old, 0, 4).size(), 4u);
    ASSERT_TRUE(store(*opened.cache, scope, 9, 10, "s1"));
    EXPECT_EQ(opened.use().spec_hash(), "s1");
    EXPECT_EQ(served(*opened.cache, opened.use(), 0, 10).size(), 5u);
    // Another number of dimensions is another spec, whatever its name.
    ASSERT_TRUE(opened.cache->store(scope, texts_of(0, 1), rows_of(0, 1, 0, 3), 3, "s1"));
    EXPECT_EQ(opened.use().dimensions(), 3u);
    EXPECT_EQ(*opened.cache->count(opened.use(), texts_of(0, 10)), 1u);
}

TEST(row_cache, calls_that_do_not_fit_are_refused) {
    scratch_folder scratch;
    EXPECT_FALSE(row_cache::open(""));
    opened_cache opened(scratch.path());
    auto scope = opened.use();
    const auto texts = texts_of(0, 2);
    const auto values = rows_of(0, 2);
    EXPECT_FALSE(opened.cache->store(scope, texts, std::span(values).first(9), dims, "s1"));
    EXPECT_FALSE(opened.cache->store(scope, texts, values, 0, "s1"));
    EXPECT_FALSE(opened.cache->store(scope, texts, values, dims, ""));
    EXPECT_FALSE(opened.cache->store(scope, texts, values, std::uint64_t{1} << 60, "s1"));
    std::vector<std::uint8_t> hits(1);
    std::vector<float> got;
    EXPECT_FALSE(opened.cache->find(scope, texts, hits, got));
    EXPECT_EQ(scope.spec_hash(), "");
    ASSERT_TRUE(opened.cache->store(scope, {}, {}, dims, "s1"));
    EXPECT_EQ(scope.spec_hash(), "s1");
}

TEST(row_cache, damaged_values_are_never_served_and_can_be_stored_again) {
    scratch_folder scratch;
    {
        opened_cache opened(scratch.path());
        auto scope = opened.use();
        ASSERT_TRUE(store(*opened.cache, scope, 0, 10));
    }
    std::string bytes = scratch.read("rows.f32");
    bytes[4 * dims * sizeof(float) + 2] ^= 1;
    bytes.resize(bytes.size() - 1);
    scratch.write("rows.f32", bytes);
    opened_cache opened(scratch.path());
    auto scope = opened.use();
    EXPECT_EQ(served(*opened.cache, scope, 0, 10), (std::vector<std::uint64_t>{0, 1, 2, 3, 5, 6, 7, 8}));
    EXPECT_EQ(opened.cache->damaged(), 2u);
    EXPECT_EQ(*opened.cache->count(scope, texts_of(0, 10)), 8u);
    ASSERT_TRUE(store(*opened.cache, scope, 0, 10));
    EXPECT_EQ(served(*opened.cache, scope, 0, 10).size(), 10u);
    EXPECT_EQ(opened.cache->damaged(), 2u);
}

TEST(row_cache, values_that_are_gone_are_misses) {
    scratch_folder scratch;
    {
        opened_cache opened(scratch.path());
        auto scope = opened.use();
        ASSERT_TRUE(store(*opened.cache, scope, 0, 10));
    }
    std::filesystem::remove(scratch.file("rows.f32"));
    opened_cache opened(scratch.path());
    auto scope = opened.use();
    EXPECT_TRUE(served(*opened.cache, scope, 0, 10).empty());
    ASSERT_TRUE(store(*opened.cache, scope, 3, 5));
    EXPECT_EQ(served(*opened.cache, scope, 0, 10).size(), 2u);
}

// Every byte of the index in turn: a failure or fewer rows, never a wrong one (served() compares).
TEST(row_cache, a_damaged_index_serves_no_wrong_row) {
    scratch_folder scratch;
    {
        opened_cache opened(scratch.path());
        auto scope = opened.use();
        ASSERT_TRUE(store(*opened.cache, scope, 0, 20));
    }
    const std::string index = scratch.read("rows.sqlite");
    ASSERT_FALSE(scratch.has("rows.sqlite-wal"));
    std::uint64_t failures = 0;
    std::uint64_t misses = 0;
    for (std::size_t i = 0; i < index.size(); i += 1 + i % 43) {
        if (index[i] == '\0' && i % 16 != 0) {
            continue;  // most are unused space
        }
        std::string changed = index;
        changed[i] = static_cast<char>(changed[i] ^ 0x10);
        scratch.write("rows.sqlite", changed);
        auto cache = row_cache::open(scratch.path());
        auto scope = cache ? (*cache)->use(service, "m", "") : result<cache_scope>(cache.error());
        if (!scope) {
            ++failures;
        } else if (scope->dimensions() == dims || scope->dimensions() == 0) {
            std::vector<std::uint8_t> hits(20);
            std::vector<float> values;
            auto found = (*cache)->find(*scope, texts_of(0, 20), hits, values);
            failures += found ? 0 : 1;
            misses += found ? 20 - *found : 0;
            const auto right = rows_of(0, 20);
            for (std::size_t row = 0, hit = 0; found && row < 20; ++row) {
                if (hits[row] != 0) {
                    ASSERT_EQ(std::memcmp(&values[hit++ * dims], &right[row * dims], dims * sizeof(float)), 0) << i;
                }
            }
        }
        cache = error(errc::io, "closed");
        for (const char* name : {"rows.sqlite-wal", "rows.sqlite-shm"}) {
            std::filesystem::remove(scratch.file(name));
        }
    }
    EXPECT_GT(failures, 0u);
    EXPECT_GT(misses, 0u);
}

TEST(row_cache, folders_of_other_things_are_left_alone) {
    scratch_folder scratch;
    scratch.write("rows.sqlite", std::string(5000, 'x'));
    auto opened = row_cache::open(scratch.path());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find(scratch.path()), std::string::npos);
    EXPECT_EQ(scratch.read("rows.sqlite"), std::string(5000, 'x'));
}

// ---- several processes

// Runs `work` in a child process, which exits 0 where it returns true.
template <class Work>
pid_t in_child(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(work() ? 0 : 1);
    }
    return child;
}

bool ended_well(pid_t child) {
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool store_in_steps(const std::string& folder, std::uint64_t first, std::uint64_t last, std::uint64_t step) {
    auto cache = row_cache::open(folder);
    auto scope = cache ? (*cache)->use(service, "m", "") : result<cache_scope>(cache.error());
    for (std::uint64_t i = first; scope && i < last; i += step) {
        if (!store(**cache, *scope, i, i + 2 * step)) {  // what overlaps is there already, or is the neighbour's
            return false;
        }
    }
    return scope.has_value();
}

TEST(row_cache, processes_write_at_once) {
    scratch_folder scratch;
    std::vector<pid_t> children;
    for (std::uint64_t i = 0; i < 4; ++i) {
        children.push_back(in_child([&] { return store_in_steps(scratch.path(), i * 200, (i + 1) * 200, 4); }));
    }
    for (const pid_t child : children) {
        EXPECT_TRUE(ended_well(child));
    }
    opened_cache opened(scratch.path());
    EXPECT_EQ(served(*opened.cache, opened.use(), 0, 800).size(), 800u);
    EXPECT_EQ(opened.cache->damaged(), 0u);
    EXPECT_EQ(std::filesystem::file_size(scratch.file("rows.f32")), 804 * dims * sizeof(float));
}

TEST(row_cache, a_process_killed_while_it_writes_loses_nothing_it_was_told_is_stored) {
    scratch_folder scratch;
    for (std::uint64_t round = 0; round < 12; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const std::uint64_t begin = round * 10'000;
        const pid_t child = in_child([&] {
            auto cache = row_cache::open(scratch.path());
            auto scope = cache ? (*cache)->use(service, "m", "") : result<cache_scope>(cache.error());
            for (std::uint64_t i = begin; scope && store(**cache, *scope, i, i + 10); i += 10) {
                if (::write(ends[1], "+", 1) != 1) {
                    break;
                }
            }
            return false;
        });
        std::uint64_t told = 0;
        for (char byte = 0; told < 3 + round * 5 && ::read(ends[0], &byte, 1) == 1;) {
            ++told;
        }
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        EXPECT_FALSE(ended_well(child));
        ::close(ends[1]);
        for (char byte = 0; ::read(ends[0], &byte, 1) == 1;) {
            ++told;
        }
        ::close(ends[0]);
        opened_cache opened(scratch.path());
        auto scope = opened.use();
        EXPECT_GE(served(*opened.cache, scope, begin, begin + told * 10).size(), told * 10);
        (void)served(*opened.cache, scope, begin + told * 10, begin + 10'000);
        EXPECT_EQ(opened.cache->damaged(), 0u);
        ASSERT_TRUE(store(*opened.cache, scope, begin + 9'990, begin + 10'000));
        EXPECT_EQ(served(*opened.cache, scope, begin + 9'990, begin + 10'000).size(), 10u);
    }
}

}  // namespace
}  // namespace vembed
