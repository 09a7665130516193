#include "client/account/quota_place.hpp"

#include <vembed/verify/sha256.hpp>

namespace vembed::detail {

std::string quota_place(const std::string& quota_folder, const std::string& base_url, const std::string& account_id) {
    return quota_folder + "/quota/" + to_hex(sha256_of(base_url + "\n" + account_id));
}

}  // namespace vembed::detail
