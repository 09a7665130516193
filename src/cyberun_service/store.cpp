#include "cyberun_service/store.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <span>
#include <tuple>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "cyberun_service/assumptions.hpp"
#include "local_service/draw.hpp"

namespace vembed::cyberun_service {
namespace {

using then = testing::body_piece::then;

// Marks a target that was redirected here, which is not redirected again.
constexpr std::string_view redirected = "&redirected=1";

testing::service_response xml_error(int status, std::string_view code, std::string_view message) {
    testing::service_response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/xml");
    response.text = R"(<?xml version="1.0" encoding="UTF-8"?>)";
    response.text.append("\n<Error><Code>").append(code).append("</Code><Message>").append(message);
    response.text += "</Message></Error>";
    return response;
}

testing::service_response wrong_signature() {
    return xml_error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
}

// Hands out a range of a file, piece by piece.
class file_body final : public testing::continuing_body {
public:
    file_body(std::shared_ptr<state> of, file_content content, std::uint64_t from, std::uint64_t end,
              std::optional<std::uint64_t> cut_after)
        : state_(std::move(of)), content_(std::move(content)), at_(from), end_(end) {
        if (cut_after && *cut_after < end - from) {
            end_ = from + *cut_after;
            cut_ = true;
        }
    }

    testing::body_piece next(monotonic_time now, wall_time) override {
        testing::body_piece piece;
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end_ - at_, assumptions::piece_bytes));
        piece.bytes = content_.read(at_, size);
        at_ += size;
        state_->counters.store_bytes += size;
        piece.after = at_ < end_ ? then::more : cut_ ? then::cut : then::end;
        piece.next_at = now;
        return piece;
    }

private:
    std::shared_ptr<state> state_;
    file_content content_;
    std::uint64_t at_;
    std::uint64_t end_;
    bool cut_ = false;
};

// The first byte and the end of a `bytes=N-M`, `bytes=N-` or `bytes=-N` range. Nothing if it is of another form, which
// a server ignores; an empty range if it is outside.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_range(std::string_view text, std::uint64_t size) {
    static constexpr std::string_view unit = "bytes=";
    const std::size_t dash = text.find('-');
    if (!text.starts_with(unit) || dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        const auto [at, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return failure == std::errc() && at == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
    };
    const std::string_view first = text.substr(unit.size(), dash - unit.size());
    const std::string_view last = text.substr(dash + 1);
    if (first.empty()) {
        const std::optional<std::uint64_t> tail = number(last);
        return tail ? std::optional(std::pair(size - std::min(*tail, size), size)) : std::nullopt;
    }
    const std::optional<std::uint64_t> begin = number(first);
    const std::optional<std::uint64_t> end = last.empty() ? std::optional(size - 1) : number(last);
    if (!begin || !end || (*end < *begin && !last.empty())) {
        return std::nullopt;
    }
    return *begin >= size ? std::pair(size, size) : std::pair(*begin, std::min(*end, size - 1) + 1);
}

}  // namespace

testing::service_arrival store::arrive(std::uint64_t expected_size) {
    return state_->connections.arrive(state_->next_ordinal++, expected_size);
}

testing::service_response store::handle(std::uint64_t ordinal, const testing::service_request& request, monotonic_time,
                                        wall_time wall) {
    try {
        ++state_->counters.store_requests;
        testing::service_response response = serve(ordinal, request, wall);
        state_->connections.cut(ordinal, response);
        return response;
    } catch (const std::exception&) {
        // Memory ran out, or the store has a bug: the peer gets a 500, and the store goes on.
        return xml_error(500, "InternalError", "We encountered an internal error");
    }
}

testing::service_response store::serve(std::uint64_t ordinal, const testing::service_request& request, wall_time wall) {
    const testing::cyberun_options& options = state_->options;
    if (!request.authorization.empty() || request.find("Authorization") || request.find("X-Api-Key")) {
        ++state_->counters.store_requests_with_key;
        return xml_error(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    std::string target = request.target;
    const bool was_redirected = target.ends_with(redirected);
    if (was_redirected) {
        target.resize(target.size() - redirected.size());
    }
    const opened_link link = open_link(options.seed, request.method, target, wall);
    if (!link.signature_is_right) {
        return wrong_signature();
    }
    if (link.expired) {
        return xml_error(403, "AccessDenied", "Request has expired");
    }
    if (request.method == "PUT") {
        return put(request, link.key);
    }
    const testing::cyberun_faults& rates = options.faults;
    if (state_->strikes(ordinal, purpose::store_slow_down, rates.store_slow_down)) {
        return xml_error(503, "SlowDown", "Please reduce your request rate.");
    }
    if (state_->strikes(ordinal, purpose::store_gone, rates.store_gone)) {
        return xml_error(404, "NoSuchKey", "The specified key does not exist.");
    }
    if (!was_redirected && state_->strikes(ordinal, purpose::store_redirect, rates.store_redirect)) {
        testing::service_response moved = xml_error(307, "TemporaryRedirect", "Please re-send this request");
        const std::string& place = options.redirect_to.empty() ? options.store_url : options.redirect_to;
        moved.headers.emplace_back("Location", place + target + std::string(redirected));
        return moved;
    }
    return get(ordinal, request, link.key);
}

testing::service_response store::put(const testing::service_request& request, const std::string& key) {
    upload* const awaited = state_->uploads.find(key);
    if (awaited == nullptr) {
        return xml_error(404, "NoSuchKey", "The specified key does not exist.");
    }
    for (const header_field& field : awaited->signed_headers) {
        if (request.find(field.name).value_or("") != field.value) {
            return wrong_signature();
        }
    }
    if (request.body.size() != awaited->size) {
        return xml_error(400, "IncompleteBody", "The body has not the length that was signed");
    }
    if (awaited->sha256) {
        return xml_error(412, "PreconditionFailed", "The key exists already");
    }
    awaited->sha256 = to_hex(sha256_of(std::as_bytes(std::span(request.body.data(), request.body.size()))));
    ++state_->counters.uploads;
    testing::service_response done;
    done.headers.emplace_back("ETag", "\"" + awaited->sha256->substr(0, 32) + "-1\"");
    return done;
}

// A key is outputs/TASK/OUTPUT.
std::optional<file_content> store::find(std::string_view key) const {
    static constexpr std::string_view folder = "outputs/";
    const std::size_t slash = key.rfind('/');
    if (!key.starts_with(folder) || slash < folder.size()) {
        return std::nullopt;
    }
    const std::shared_ptr<task> of = state_->find(key.substr(folder.size(), slash - folder.size()));
    if (of) {
        for (const auto& [id, content] : outputs_of(*of, state_->options.seed)) {
            if (id == key.substr(slash + 1)) {
                return content;
            }
        }
    }
    return std::nullopt;
}

testing::service_response store::get(std::uint64_t ordinal, const testing::service_request& request,
                                     const std::string& key) {
    const std::optional<file_content> content = find(key);
    if (!content) {
        return xml_error(404, "NoSuchKey", "The specified key does not exist.");
    }
    const std::uint64_t size = content->size();
    const std::string etag = content->etag();
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    testing::service_response response;
    const std::optional<std::string_view> if_range = request.find("If-Range");
    const auto range = request.find("Range") && (!if_range || *if_range == etag)
                           ? read_range(*request.find("Range"), size)
                           : std::nullopt;
    if (range) {
        std::tie(begin, end) = *range;
        if (begin == end) {
            response = xml_error(416, "InvalidRange", "The requested range is not satisfiable");
            response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
            return response;
        }
        response.status = 206;
        response.headers.emplace_back("Content-Range", "bytes " + std::to_string(begin) + "-" +
                                                           std::to_string(end - 1) + "/" + std::to_string(size));
    }
    response.headers.emplace_back("Content-Type", content->drawn_bytes ? "application/octet-stream" : "text/plain");
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("Accept-Ranges", "bytes");
    const testing::cyberun_faults& rates = state_->options.faults;
    const bool cut = state_->strikes(ordinal, purpose::store_cut, rates.store_cut);
    response.length = end - begin;
    response.rest = std::make_shared<file_body>(
        state_, *content, begin, end, cut ? std::optional<std::uint64_t>(rates.store_cut_bytes) : std::nullopt);
    return response;
}

}  // namespace vembed::cyberun_service
