#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <vembed/reuse/row_cache.hpp>

#include "reuse/cache_index.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "storage/local_folder.hpp"

namespace vembed {
namespace {

using reuse::checksum;
using reuse::found_row;
using reuse::most_dimensions;

constexpr std::uint64_t most_file_bytes = std::numeric_limits<off_t>::max();

error cache_misuse(std::string what) {
    return {errc::invalid_argument, "row_cache: " + std::move(what)};
}

}  // namespace

class row_cache::impl {
public:
    explicit impl(std::string folder) : folder_(std::move(folder)), values_path_(folder_ + "/rows.f32") {}

    result<void> open();
    result<void> use(cache_scope& scope);
    result<std::uint64_t> find(const cache_scope& scope, std::span<const digest> texts, std::span<std::uint8_t> hits,
                               std::vector<float>& values);
    result<std::uint64_t> count(const cache_scope& scope, std::span<const digest> texts);
    result<void> store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values);
    result<void> forget(const cache_scope& scope, std::span<const digest> texts) {
        return index_.forget(scope.number_, texts);
    }
    result<std::uint64_t> tail() { return index_.tail(); }
    [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

    /// Computes the part that is the same in every checksum of the scope.
    static void mark(cache_scope& scope);

    /// Turns an error of the index into the cache's error.
    [[nodiscard]] error explain(const error& f) const;

private:
    static reuse::spec_key key_of(const cache_scope& scope) {
        return {scope.service_, scope.model_, scope.spec_sha256_, scope.spec_hash_, scope.dimensions_};
    }
    result<void> read_values(const std::vector<found_row>& found, std::uint64_t dimensions, std::vector<float>& values);
    result<void> append(const cache_scope& scope, std::span<const digest> texts, std::span<const float> values,
                        const std::vector<std::size_t>& which);
    [[nodiscard]] checksum sum_of(const cache_scope& scope, const digest& text, std::span<const float> row);

    std::string folder_;
    std::string values_path_;
    reuse::cache_index index_;
    storage::unique_fd values_;
    sha256 hash_;
    std::uint64_t damaged_ = 0;
};

error row_cache::impl::explain(const error& f) const {
    if (f.kind == errc::journal_damaged) {
        return {errc::io,
                "the cache in " + folder_ +
                    " is damaged; move that folder away, or name another one: what is not in it is bought again"};
    }
    if (f.kind == errc::folder_mismatch && f.message.find("another process") != std::string::npos) {
        return {errc::io, "the cache in " + folder_ + " stayed busy: another process held it for too long"};
    }
    return f;
}

result<void> row_cache::impl::open() {
    if (auto made = storage::make_folder(storage::system_file_ops(), folder_); !made) {
        return made;
    }
    if (auto local = storage::check_local_folder(folder_); !local) {
        return local;
    }
    // The lock is needed because turning on the index's write-ahead log does not wait for other processes by itself.
    const auto lock = storage::file_lock::await(folder_ + "/lock", std::chrono::seconds(10));
    if (!lock) {
        return lock.error();
    }
    if (auto index = index_.open(folder_ + "/rows.sqlite"); !index) {
        return index;
    }
    auto values = storage::open_file(storage::system_file_ops(), values_path_, O_RDWR | O_CREAT);
    if (!values) {
        return values.error();
    }
    values_ = std::move(*values);
    return {};
}

// Each string is hashed by itself, so that the parts cannot be confused whatever their lengths are.
void row_cache::impl::mark(cache_scope& scope) {
    sha256 hash;
    for (const std::string* part : {&scope.service_, &scope.model_, &scope.spec_sha256_, &scope.spec_hash_}) {
        hash.update(sha256_of(*part));
    }
    hash.update(std::as_bytes(std::span(&scope.dimensions_, 1)));
    scope.mark_ = hash.finish();
}

checksum row_cache::impl::sum_of(const cache_scope& scope, const digest& text, std::span<const float> row) {
    hash_.update(scope.mark_);
    hash_.update(text);
    hash_.update(std::as_bytes(row));
    const digest whole = hash_.finish();
    checksum sum;
    std::copy_n(whole.begin(), sum.size(), sum.begin());
    return sum;
}

result<void> row_cache::impl::use(cache_scope& scope) {
    auto newest = index_.newest_spec(key_of(scope));
    if (!newest) {
        return newest.error();
    }
    if (*newest) {
        scope.number_ = (*newest)->number;
        scope.spec_hash_ = std::move((*newest)->spec_hash);
        scope.dimensions_ = (*newest)->dimensions;
        mark(scope);
    }
    return {};
}

// Adjacent rows are read at once. Values that are not in the file stay zero, which no checksum accepts.
result<void> row_cache::impl::read_values(const std::vector<found_row>& found, std::uint64_t dimensions,
                                          std::vector<float>& values) {
    const std::uint64_t row_bytes = dimensions * sizeof(float);
    values.assign(found.size() * dimensions, 0.0f);
    for (std::size_t begin = 0; begin < found.size();) {
        std::size_t end = begin + 1;
        while (end < found.size() && found[end].at == found[end - 1].at + row_bytes) {
            ++end;
        }
        const std::uint64_t size = (end - begin) * row_bytes;
        if (found[begin].at <= most_file_bytes && size <= most_file_bytes - found[begin].at) {
            auto got = storage::read_at(storage::system_file_ops(), values_.get(), values.data() + begin * dimensions,
                                        size, found[begin].at, values_path_);
            if (!got) {
                return got.error();
            }
        }
        begin = end;
    }
    return {};
}

result<std::uint64_t> row_cache::impl::find(const cache_scope& scope, std::span<const digest> texts,
                                            std::span<std::uint8_t> hits, std::vector<float>& values) {
    std::fill(hits.begin(), hits.end(), std::uint8_t{0});
    values.clear();
    if (scope.number_ == 0 || texts.empty()) {
        return std::uint64_t{0};
    }
    auto found = index_.look_up(scope.number_, texts, scope.end_);
    if (!found) {
        return found.error();
    }
    const std::uint64_t dimensions = scope.dimensions_;
    if (auto read = read_values(*found, dimensions, values); !read) {
        return read.error();
    }
    std::vector<digest> bad;
    std::uint64_t good = 0;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto row = std::span<const float>(values).subspan(i * dimensions, dimensions);
        const std::size_t text = (*found)[i].text;
        if (sum_of(scope, texts[text], row) != (*found)[i].sum) {
            bad.push_back(texts[text]);
            continue;
        }
        hits[text] = 1;
        if (good != i) {
            std::copy(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(good * dimensions));
        }
        ++good;
    }
    values.resize(good * dimensions);
    if (!bad.empty()) {
        damaged_ += bad.size();
        // Damaged rows are removed so that they can be stored again. If that fails they stay and are not served; the
        // next find() tries again.
        (void)forget(scope, bad);
    }
    return good;
}

result<std::uint64_t> row_cache::impl::count(const cache_scope& scope, std::span<const digest> texts) {
    if (scope.number_ == 0 || texts.empty()) {
        return std::uint64_t{0};
    }
    auto found = index_.look_up(scope.number_, texts, scope.end_);
    return found ? result<std::uint64_t>(std::uint64_t{found->size()}) : found.error();
}

result<void> row_cache::impl::store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values) {
    auto writing = index_.begin_writing();
    if (!writing) {
        return writing.error();
    }
    const auto chosen = index_.choose_spec(key_of(scope), scope.number_);
    if (!chosen) {
        return chosen.error();
    }
    scope.number_ = *chosen;
    auto wanted = index_.missing(scope.number_, texts);
    if (!wanted) {
        return wanted.error();
    }
    if (auto appended = append(scope, texts, values, *wanted); !appended) {
        return appended;
    }
    return writing->commit();
}

result<void> row_cache::impl::append(const cache_scope& scope, std::span<const digest> texts,
                                     std::span<const float> values, const std::vector<std::size_t>& which) {
    const auto end = index_.tail();
    if (!end) {
        return end.error();
    }
    const std::uint64_t dimensions = scope.dimensions_;
    const std::uint64_t row_bytes = dimensions * sizeof(float);
    if (*end > most_file_bytes - which.size() * row_bytes) {
        return index_.damaged();
    }
    auto at = static_cast<std::int64_t>(*end);
    for (std::size_t begin = 0; begin < which.size();) {
        std::size_t last = begin + 1;
        while (last < which.size() && which[last] == which[last - 1] + 1) {
            ++last;
        }
        // These rows are written behind all committed rows. If the process dies here, a later store() overwrites them.
        const auto rows = values.subspan(which[begin] * dimensions, (last - begin) * dimensions);
        auto written = storage::write_at(storage::system_file_ops(), values_.get(), rows.data(), rows.size_bytes(),
                                         static_cast<std::uint64_t>(at), values_path_);
        if (!written) {
            return written;
        }
        for (; begin < last; ++begin) {
            const digest& text = texts[which[begin]];
            const checksum sum = sum_of(scope, text, values.subspan(which[begin] * dimensions, dimensions));
            if (auto kept = index_.insert(scope.number_, text, at, sum); !kept) {
                return kept;
            }
            at += static_cast<std::int64_t>(row_bytes);
        }
    }
    return which.empty() ? result<void>() : index_.move_tail(at);
}

row_cache::row_cache(std::unique_ptr<impl> opened) : impl_(std::move(opened)) {}
row_cache::~row_cache() = default;

result<std::unique_ptr<row_cache>> row_cache::open(std::string folder) {
    if (folder.empty()) {
        return cache_misuse("the folder's name is empty");
    }
    auto made = std::make_unique<impl>(std::move(folder));
    if (auto opened = made->open(); !opened) {
        return made->explain(opened.error());
    }
    return std::unique_ptr<row_cache>(new row_cache(std::move(made)));
}

result<cache_scope> row_cache::use(std::string service, std::string model, std::string spec_sha256) {
    cache_scope scope;
    scope.service_ = std::move(service);
    scope.model_ = std::move(model);
    scope.spec_sha256_ = std::move(spec_sha256);
    if (auto used = impl_->use(scope); !used) {
        return impl_->explain(used.error());
    }
    return scope;
}

result<void> row_cache::close_to_new(cache_scope& scope) {
    const auto end = impl_->tail();
    if (!end) {
        return impl_->explain(end.error());
    }
    scope.end_ = *end;
    return {};
}

result<std::uint64_t> row_cache::find(const cache_scope& scope, std::span<const digest> texts,
                                      std::span<std::uint8_t> hits, std::vector<float>& values) {
    if (hits.size() != texts.size()) {
        return cache_misuse("asked for " + std::to_string(texts.size()) + " texts with room for " +
                            std::to_string(hits.size()) + " answers");
    }
    auto found = impl_->find(scope, texts, hits, values);
    if (!found) {
        std::fill(hits.begin(), hits.end(), std::uint8_t{0});
        values.clear();
        return impl_->explain(found.error());
    }
    return found;
}

result<std::uint64_t> row_cache::count(const cache_scope& scope, std::span<const digest> texts) {
    auto counted = impl_->count(scope, texts);
    return counted ? counted : impl_->explain(counted.error());
}

result<void> row_cache::store(cache_scope& scope, std::span<const digest> texts, std::span<const float> values,
                              std::uint64_t dimensions, const std::string& spec_hash) {
    if (dimensions == 0 || dimensions > most_dimensions || values.size() / dimensions != texts.size() ||
        values.size() % dimensions != 0) {
        return cache_misuse(std::to_string(texts.size()) + " rows of " + std::to_string(dimensions) +
                            " dimensions came with " + std::to_string(values.size()) + " values");
    }
    if (spec_hash.empty()) {
        return cache_misuse("rows were to be kept without the spec_hash they were bought under");
    }
    cache_scope next = scope;
    if (next.spec_hash_ != spec_hash || next.dimensions_ != dimensions) {
        next.spec_hash_ = spec_hash;
        next.dimensions_ = dimensions;
        next.number_ = 0;
        impl::mark(next);
    }
    if (auto stored = impl_->store(next, texts, values); !stored) {
        return impl_->explain(stored.error());
    }
    scope = std::move(next);
    return {};
}

result<void> row_cache::forget(const cache_scope& scope, std::span<const digest> texts) {
    auto forgotten = impl_->forget(scope, texts);
    return forgotten ? forgotten : impl_->explain(forgotten.error());
}

std::uint64_t row_cache::damaged() const noexcept {
    return impl_->damaged();
}

}  // namespace vembed
