#include "client/account/chunk_sizes.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/verify/sha256.hpp>

#include "policy/input/input_rules.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::detail {
namespace {

namespace json = boost::json;

constexpr std::string_view version_name = "vembed_chunk_sizes";
constexpr std::int64_t version = 1;
constexpr std::size_t file_bytes_max = std::size_t{1} << 20;
constexpr std::size_t key_bytes_max = 1000;

class stored_sizes {
public:
    json::object sizes;
    json::object whole;
    bool of_another_version = false;

    stored_sizes() = default;
};

// An unreadable file counts as empty: its content is learned again.
stored_sizes read_sizes(const std::string& path) {
    stored_sizes stored;
    const auto text = storage::read_small_file(path, file_bytes_max);
    if (!text || !*text) {
        return stored;
    }
    json::error_code error;
    json::value parsed = json::parse(**text, error);
    json::object* const file = error ? nullptr : parsed.if_object();
    const json::value* const told = file != nullptr ? file->if_contains(version_name) : nullptr;
    if (told == nullptr) {
        return stored;
    }
    stored.of_another_version = !told->is_int64() || told->get_int64() != version;
    json::value* const sizes = file->if_contains("sizes");
    if (!stored.of_another_version && sizes != nullptr && sizes->is_object()) {
        stored.sizes = std::move(sizes->get_object());
        json::value* const whole = file->if_contains("whole");
        stored.whole = whole != nullptr && whole->is_object() ? std::move(whole->get_object()) : json::object();
    }
    return stored;
}

std::uint64_t size_in(const json::object& sizes, std::string_view key) {
    const json::value* const found = sizes.if_contains(key);
    const bool usable = found != nullptr && found->is_int64() && found->get_int64() > 0 &&
                        static_cast<std::uint64_t>(found->get_int64()) <= policy::inputs_max;
    return usable ? static_cast<std::uint64_t>(found->get_int64()) : 0;
}

// A program that does not know "whole" changes only the size; then the size no longer counts as whole.
chunk_size stored_size(const stored_sizes& stored, std::string_view key) {
    const std::uint64_t rows = size_in(stored.sizes, key);
    return {rows, rows > 0 && size_in(stored.whole, key) == rows};
}

// Adds an entry to `file`'s objects.
void put(json::object& sizes, json::object& whole, std::string_view key, chunk_size size) {
    sizes[key] = size.rows;
    if (size.is_whole) {
        whole[key] = size.rows;
    }
}

}  // namespace

std::string chunk_sizes_path(const std::string& quota_folder) {
    return quota_folder + "/chunk-sizes.json";
}

std::string chunk_size_key(std::string_view base_url, std::string_view model, std::string_view spec_yaml) {
    const std::string name = model.empty() ? "spec:" + to_hex(sha256_of(spec_yaml)) : std::string(model);
    return std::string(base_url) + " " + name;
}

chunk_size chunk_size_shown(const job_results& results, chunk_size known) noexcept {
    std::uint64_t longest = 0;
    for (const chunk_result& chunk : results.chunks) {
        longest = std::max(longest, chunk.row_end - std::min(chunk.row_start, chunk.row_end));
    }
    const std::uint64_t rows = std::min<std::uint64_t>(longest, policy::inputs_max);
    if (results.chunks.size() > 1 && rows > 0) {
        return {rows, true};
    }
    return rows > known.rows ? chunk_size(rows, false) : known;
}

chunk_size remembered_chunk_size(const std::string& path, const std::string& key) {
    return stored_size(read_sizes(path), key);
}

result<void> remember_chunk_size(const std::string& path, const std::string& key, chunk_size size,
                                 const std::stop_token& stop) {
    if (key.size() > key_bytes_max || size.rows == 0) {
        return {};
    }
    if (auto made = storage::make_folder(storage::system_file_ops(), storage::folder_of(path)); !made) {
        return made.error();
    }
    const auto lock = storage::file_lock::await(path + ".lock", storage::file_lock::usual_wait, stop);
    if (!lock) {
        return lock.error();
    }
    stored_sizes stored = read_sizes(path);
    if (stored.of_another_version || stored_size(stored, key) == size) {
        return {};
    }
    json::object sizes;
    json::object whole;
    const std::size_t kept_max = chunk_sizes_max - 1;
    std::size_t passed_over = stored.sizes.size() - std::min(stored.sizes.size(), kept_max);
    for (const json::key_value_pair& one : stored.sizes) {
        const bool is_kept = one.key() != key && one.key().size() <= key_bytes_max && passed_over == 0;
        passed_over -= passed_over > 0 ? 1 : 0;
        if (is_kept && size_in(stored.sizes, one.key()) > 0) {
            put(sizes, whole, one.key(), stored_size(stored, one.key()));
        }
    }
    put(sizes, whole, key, size);
    json::object file;
    file[version_name] = version;
    file["sizes"] = std::move(sizes);
    if (!whole.empty()) {
        file["whole"] = std::move(whole);
    }
    return storage::replace_small_file(path, json::serialize(file));
}

}  // namespace vembed::detail
