#include "client/account/other_keys.hpp"

#include <algorithm>
#include <cstddef>

namespace vembed::detail {
namespace {

// A shorter id may be the beginning of another key by chance.
constexpr std::size_t id_min = 8;

const api_key_info* own_key(const std::vector<api_key_info>& keys, std::string_view own) {
    const api_key_info* only = nullptr;
    std::size_t in_force = 0;
    for (const api_key_info& key : keys) {
        if (key.key_id.size() >= id_min && own.starts_with(key.key_id)) {
            return &key;
        }
        if (!key.revoked_at) {
            only = &key;
            ++in_force;
        }
    }
    return in_force == 1 ? only : nullptr;
}

}  // namespace

std::optional<std::string> use_of_other_keys(const std::vector<api_key_info>& keys, std::string_view own) {
    const api_key_info* const ours = own_key(keys, own);
    if (ours == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> others;
    for (const api_key_info& key : keys) {
        if (&key != ours) {
            others.push_back(key.key_id + "=" + key.last_used_at.value_or(""));
        }
    }
    std::ranges::sort(others);
    std::string text;
    for (const std::string& other : others) {
        text += other + ";";
    }
    return text;
}

}  // namespace vembed::detail
