#include "cyberun_service/files.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <span>

#include <vembed/verify/sha256.hpp>

#include "local_service/draw.hpp"
#include "local_service/target.hpp"

namespace vembed::cyberun_service {
namespace {

std::string digest_of(std::string_view text) {
    return to_hex(sha256_of(std::as_bytes(std::span(text.data(), text.size()))));
}

std::string signature_of(std::uint64_t seed, std::string_view method, std::string_view rest) {
    return digest_of(std::to_string(seed) + " " + std::string(method) + " " + std::string(rest));
}

std::string with_coded_slashes(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '/') {
            out += "%2F";
        } else {
            out += c;
        }
    }
    return out;
}

std::int64_t number_of(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

std::string file_content::read(std::uint64_t at, std::size_t size) const {
    if (!drawn_bytes) {
        return text.substr(static_cast<std::size_t>(at), size);
    }
    std::string out(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t place = at + i;
        out[i] = static_cast<char>(local_service::mix64(seed ^ (place / 8)) >> (8 * (place % 8)));
    }
    return out;
}

std::string file_content::etag() const {
    const std::string about = drawn_bytes ? std::to_string(seed) + "/" + std::to_string(*drawn_bytes) : text;
    return "\"" + digest_of(about).substr(0, 32) + "-1\"";
}

void upload_list::add(const std::string& key, upload made) {
    if (order_.size() >= std::max<std::uint64_t>(files_max_, 1)) {
        uploads_.erase(order_.front());
        order_.pop_front();
    }
    order_.push_back(key);
    uploads_.insert_or_assign(key, std::move(made));
}

upload* upload_list::find(const std::string& key) {
    const auto found = uploads_.find(key);
    return found == uploads_.end() ? nullptr : &found->second;
}

std::string presigned_target(std::uint64_t seed, std::string_view method, std::string_view key, wall_time wall,
                             std::uint32_t ttl_s) {
    const auto second = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
    const std::string rest = "/files/" + with_coded_slashes(key) + "?X-Amz-Expires=" + std::to_string(ttl_s) +
                             "&X-Amz-Date=" + std::to_string(second);
    return rest + "&X-Amz-Signature=" + signature_of(seed, method, rest);
}

opened_link open_link(std::uint64_t seed, std::string_view method, std::string_view target, wall_time wall) {
    opened_link link;
    static constexpr std::string_view mark = "&X-Amz-Signature=";
    target = local_service::without_origin(target);
    const std::size_t at = std::min(target.find(mark), target.size());
    const std::string_view rest = target.substr(0, at);
    const auto parts = local_service::read_target(target);
    if (!parts || at == target.size() || parts->segments.size() != 2 || parts->segments[0] != "files") {
        return link;
    }
    link.key = parts->segments[1];
    link.signature_is_right = target.substr(at + mark.size()) == signature_of(seed, method, rest);
    const std::int64_t begun = number_of(parts->find("X-Amz-Date").value_or(""));
    const std::int64_t ttl = number_of(parts->find("X-Amz-Expires").value_or(""));
    link.expired = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count() >= begun + ttl;
    return link;
}

}  // namespace vembed::cyberun_service
