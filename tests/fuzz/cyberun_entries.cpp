#include "fuzz/cyberun_entries.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <openssl/hmac.h>
#include <vembed/cyberun/parameters.hpp>
#include <vembed/cyberun/webhook.hpp>
#include <vembed/verify/sha256.hpp>

#include "cyberun/download/content_range.hpp"
#include "cyberun/download/file_name.hpp"
#include "cyberun/download/integrity.hpp"
#include "cyberun/download/next_hop.hpp"
#include "cyberun/watch/events.hpp"
#include "cyberun/wire/codec.hpp"
#include "cyberun/wire/error_table.hpp"
#include "text/utf8.hpp"
#include "text/words.hpp"

namespace vembed::fuzz {
namespace {

using namespace cyberun;

constexpr std::string_view key_text = "sk-key-of-the-fuzzer";

std::vector<sse::event> events_in(std::string_view stream, std::size_t piece) {
    sse::limits small;
    small.line_bytes_max = 1 << 12;
    small.event_bytes_max = 1 << 12;
    sse::event_reader reader(small);
    std::vector<sse::event> events;
    for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
        const auto fed = reader.feed(stream.substr(0, piece), events);
        require(fed || fed.error().kind == errc::response_too_large, "only a limit ends the reading of a stream");
    }
    return events;
}

template <class T>
void expect_body(std::string_view body) {
    const auto read = read_response<T>(body);
    require(read || (read.error().kind == errc::protocol && !read.error().message.empty()),
            "what cannot be read is a protocol failure that says why");
}

void expect_workflow(std::string_view body) {
    const auto read = read_response<workflow>(body);
    if (!read) {
        expect_body<workflow>(body);
        return;
    }
    const auto none = check_parameters(*read, {});
    require(none || none.error().kind == errc::invalid_argument, "parameters that are missing are named");
    for (const workflow_parameter& each : read->parameters) {
        const auto typed = typed_parameter(*read, each.key, "1");
        require(typed || typed.error().kind == errc::invalid_argument, "a text that does not fit is named");
    }
}

// The second byte is the status.
void expect_error(std::string_view input) {
    failed_response from;
    from.status = 350 + static_cast<int>(choose(input, 250).first);
    from.body = choose(input, 250).second;
    from.secret = key_text;
    const mapped_refusal mapped = map_error(from, wall_time());
    require(!mapped.error.message.empty() && mapped.error.raw_body.size() <= error::max_raw_body,
            "an error has a message and little of the body");
    require(mapped.error.message.size() < 4096, "a message is short");
    require(mapped.error.message.find(key_text) == std::string::npos &&
                mapped.error.raw_body.find(key_text) == std::string::npos,
            "an error does not quote the key");
    require(mapped.what != refusal::rate || mapped.error.retry_after, "a refused rate has a delay");
    require(mapped.author != policy::response_author::service || (from.status >= 400 && from.status < 500),
            "only a 4xx rejects a run");
}

void expect_range(std::string_view value) {
    if (const auto range = parse_content_range(value)) {
        require(range->first.has_value() == range->last.has_value() && (range->first || range->total),
                "a range has both ends, or a total");
        require(!range->first || *range->first <= *range->last, "a range does not end before it begins");
        require(!range->first || !range->total || *range->last < *range->total, "a range is within its file");
    }
}

void expect_url(std::string_view location) {
    hop_rules rules;
    const auto from = read_download_url("https://store.example/a/b/c?q=/x", rules);
    rules.plain_http = true;
    const auto to = next_hop(http_method::get, *from, location, 0, rules);
    if (!to) {
        require(to.error().kind == errc::protocol && !to.error().message.empty(), "a bad link says why");
        return;
    }
    require(to->tls && !to->host.empty() && to->target.starts_with('/'), "a link has a host and a path, over https");
    require(to->url.find('#') == std::string::npos, "a fragment is not sent");
    require(to->host_field.find_first_of("@/?\\ \r\n") == std::string::npos, "a host is nothing but a host");
    require(to->url.ends_with(to->target) || to->url.ends_with(to->target.substr(1)), "a target stays as it is");
}

void expect_digests(std::string_view value) {
    const std::vector<header_field> headers{
        {"ETag", std::string(value)}, {"Content-MD5", std::string(value)}, {"Repr-Digest", std::string(value)}};
    const expected_digest made = read_digests(200, headers);
    require((made.basis == digest_basis::none) == (!made.md5 && !made.sha256), "a basis has a digest");
    content_hasher hasher(made);
    require((hasher.finish() == integrity::not_checkable) == (made.basis == digest_basis::none),
            "a file is checked if there is something to check it by");
}

bool is_name_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("._-").find(c) != std::string_view::npos;
}

// One id a line.
void expect_names(std::string_view input) {
    std::vector<std::string> ids;
    while (!input.empty()) {
        const std::size_t end = std::min(input.find('\n'), input.size());
        ids.emplace_back(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::vector<std::string> names;
    for (const std::string& stem : file_stems(ids)) {
        const std::string name = file_name(stem, names.size() % 2 == 0 ? "image/png" : "image/jpeg");
        require(std::all_of(name.begin(), name.end(), is_name_char) && name.size() <= file_name_bytes_max &&
                    !name.starts_with('.') && !name.ends_with(".part"),
                "a file's name is safe");
        names.push_back(text::lowered(name));
    }
    std::sort(names.begin(), names.end());
    require(std::adjacent_find(names.begin(), names.end()) == names.end(), "two ids have two names");
}

}  // namespace

void read_cyberun_events(std::string_view input) {
    const auto [piece, stream] = choose(input, 32);
    const std::vector<sse::event> whole = events_in(stream, 1 << 20);
    require(whole == events_in(stream, piece + std::size_t{1}), "events depend on how a stream is cut");
    for (const sse::event& each : whole) {
        const task_event made = read_event(each);
        require(!claims_end(made) || made.kind == event_kind::completed || made.kind == event_kind::failed ||
                    made.kind == event_kind::cancelled || made.kind == event_kind::status,
                "only an event that says so claims an end");
        require(!made.progress || (*made.progress >= 0 && *made.progress <= 1), "progress is from 0 to 1");
        require(!text::first_invalid_utf8(made.name) && !text::first_invalid_utf8(made.text), "texts are UTF-8");
    }
}

void read_cyberun_bodies(std::string_view input) {
    const auto [which, body] = choose(input, 8);
    switch (which) {
        case 0: expect_workflow(body); break;
        case 1: expect_body<workflow_page>(body); break;
        case 2: expect_body<task>(body); break;
        case 3: expect_body<task_page>(body); break;
        case 4: expect_body<task_result>(body); break;
        case 5: expect_body<accepted_task>(body); break;
        case 6: expect_body<presigned_upload>(body); break;
        default: expect_error(body); break;
    }
}

void read_cyberun_downloads(std::string_view input) {
    const auto [which, text] = choose(input, 4);
    switch (which) {
        case 0: expect_range(text); break;
        case 1: expect_url(text); break;
        case 2: expect_digests(text); break;
        default: expect_names(text); break;
    }
}

void read_cyberun_webhook(std::string_view input) {
    constexpr std::string_view secret = "whsec_of_the_fuzzer";
    digest made;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(),
         reinterpret_cast<unsigned char*>(made.data()), nullptr);
    const std::string signature = "sha256=" + to_hex(made);
    const std::string_view given = signature;
    webhook_options options;
    options.window = std::chrono::seconds::max();
    const auto event = verify_webhook(input, {&given, 1}, {&secret, 1}, wall_time(), options);
    require(event || event.error().kind == errc::protocol || event.error().kind == errc::unauthorized ||
                event.error().kind == errc::response_too_large,
            "an authentic webhook fails for its form or its time");
    require(!event || (!event->task_id.empty() && !event->event_type.empty() && !event->dedup_key.empty()),
            "a webhook names its task");
    // What is signed is accepted as a signature only of itself.
    const auto forged = verify_webhook(input, {&input, 1}, {&secret, 1}, wall_time(), options);
    require(!forged, "a body is no signature of itself");
}

}  // namespace vembed::fuzz
