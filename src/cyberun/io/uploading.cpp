#include "cyberun/io/uploading.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "cyberun/io/short_body.hpp"
#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/error_table.hpp"
#include "policy/retry/backoff.hpp"
#include "runtime/blocking_work.hpp"
#include "storage/file_ops.hpp"
#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

bool is_token(std::string_view name) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [others](char c) {
        const char low = text::lower_case(c);
        return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
}

bool is_header_text(std::string_view value) {
    return std::ranges::all_of(
        value, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}

bool changes_framing(std::string_view name) {
    constexpr std::array<std::string_view, 6> names{"Transfer-Encoding", "Connection", "Expect",
                                                    "Upgrade",           "Trailer",    "TE"};
    return std::ranges::any_of(names, [name](std::string_view each) { return text::same_word(each, name); });
}

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

class open_file {
public:
    std::shared_ptr<storage::unique_fd> fd;
    std::uint64_t size = 0;

    open_file() = default;
};

result<open_file> open_for_upload(const std::string& path) {
    result<storage::unique_fd> fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    const result<std::uint64_t> size = storage::size_of(fd->get(), path);
    if (!size) {
        return size.error();
    }
    open_file made;
    made.fd = std::make_shared<storage::unique_fd>(std::move(*fd));
    made.size = *size;
    return made;
}

}  // namespace

class uploading::file_body final : public body_source {
public:
    file_body(std::shared_ptr<environment> env, open_file file, std::string path)
        : env_(std::move(env)), file_(std::move(file)), path_(std::move(path)) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size; }

    asio::awaitable<result<std::size_t>> read(std::uint64_t at, std::span<std::byte> into) override {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), file_.size - at));
        std::function<result<std::size_t>()> work = [this, at, into, wanted] {
            return storage::read_at(storage::system_file_ops(), file_.fd->get(), into.data(), wanted, at, path_);
        };
        result<std::size_t> got = co_await runtime::on_worker(env_, std::move(work));
        if (got && *got == 0 && wanted > 0) {
            co_return error(errc::io, path_ + " became shorter while it was uploaded");
        }
        moved += got ? *got : 0;
        co_return got;
    }

    std::uint64_t moved = 0;

private:
    std::shared_ptr<environment> env_;
    open_file file_;
    std::string path_;
};

class uploading::put_result {
public:
    std::optional<error> failed;
    bool again = false;  ///< Another upload, with a link of its own, may succeed.
    std::optional<std::chrono::seconds> asked_delay;

    put_result() = default;
};

result<std::vector<header_field>> upload_headers_of(const presigned_upload& to, const download_url& at,
                                                    std::uint64_t size) {
    std::vector<header_field> made;
    for (const header_field& each : to.upload_headers) {
        if (!is_token(each.name) || !is_header_text(each.value) || changes_framing(each.name)) {
            return error(errc::protocol, "the service wants the upload to have a header that must not be sent");
        }
        const bool is_length = text::same_word(each.name, "Content-Length");
        if (is_length || text::same_word(each.name, "Host")) {
            if (each.value != (is_length ? std::to_string(size) : at.host_field)) {
                return error(errc::protocol, "the service signed another " + each.name + " than that of the upload");
            }
            continue;
        }
        made.push_back(each);
    }
    return made;
}

asio::awaitable<uploading::put_result> uploading::put(const presigned_upload* to, std::shared_ptr<file_body> body,
                                                      monotonic_time deadline) {
    put_result made;
    const result<download_url> at = read_download_url(to->upload_url, store_->rules());
    if (!at) {
        made.failed = at.error();
        co_return made;
    }
    result<std::vector<header_field>> headers = upload_headers_of(*to, *at, body->size());
    const result<std::shared_ptr<transport>> over = store_->reach(*at);
    if (!headers || !over) {
        made.failed = !headers ? headers.error() : over.error();
        co_return made;
    }
    auto request = std::make_shared<transport_request>();
    request->method = http_method::put;
    request->target = at->target;
    request->headers = std::move(*headers);
    request->long_body = body;
    short_body told;
    file_exchange what;
    what.over = *over;
    what.request = std::move(request);
    what.sink = &told;
    what.moved = &body->moved;
    what.deadline = deadline;
    const exchange_outcome outcome = co_await store_->exchange(std::move(what));
    const int status = outcome.head ? outcome.head->status : 0;
    if (status >= 200 && status < 300) {
        co_return made;
    }
    if (status == 0) {
        made.failed = outcome.error.value_or(error(errc::network, "the store did not respond"));
        made.again = made.failed->kind == errc::network && !made.failed->lasting;
        co_return made;
    }
    failed_response from;
    from.status = status;
    from.about = subject::upload;
    from.retry_after = outcome.head->find("Retry-After");
    from.date = outcome.head->find("Date");
    mapped_refusal mapped = map_error(from, store_->env()->wall_now());
    mapped.error.message = "the store refuses the upload (HTTP " + std::to_string(status) + ")";
    mapped.error.kind = status == 413 ? errc::request_too_large : errc::api;
    mapped.error.retry_after.reset();
    const bool expired = status == 403 || (status == 400 && told.text().find("ExpiredToken") != std::string::npos);
    made.again = expired || mapped.what == refusal::conflict || mapped.what == refusal::rate ||
                 (mapped.what == refusal::service && status >= 400);
    made.asked_delay = mapped.asked_delay;
    made.failed = std::move(mapped.error);
    co_return made;
}

asio::awaitable<result<std::string>> uploading::upload(std::string path, std::string content_type,
                                                       monotonic_time deadline) {
    const std::shared_ptr<environment> env = store_->env();
    std::function<result<open_file>()> work = [&path] { return open_for_upload(path); };
    result<open_file> file = co_await runtime::on_worker(env, std::move(work));
    if (!file) {
        co_return file.error();
    }
    const result<std::string> body = presign_body(base_name(path), file->size, content_type);
    if (!body) {
        co_return body.error();
    }
    policy::backoff_options pace;
    pace.delay_ms_first = assumed::backoff_first;
    pace.delay_ms_max = assumed::backoff_most;
    pace.tries_max = assumed::upload_tries_max;
    for (std::uint32_t tries = 1;; ++tries) {
        const result<presigned_upload> to = co_await api_->presign(*body, deadline);
        if (!to) {
            co_return to.error();
        }
        auto bytes = std::make_shared<file_body>(env, *file, path);
        const put_result put_once = co_await put(&*to, std::move(bytes), deadline);
        if (!put_once.failed) {
            co_return to->file_key;
        }
        const auto delay = policy::backoff_delay(pace, tries, env->random());
        if (!put_once.again || !delay) {
            co_return *put_once.failed;
        }
        const std::chrono::milliseconds asked = put_once.asked_delay.value_or(std::chrono::seconds(0));
        const monotonic_time until = deadline_after(env->now(), std::max(*delay, asked));
        if (until >= deadline) {
            co_return *put_once.failed;
        }
        const wait_outcome waited = co_await sleep_until(env, until);
        if (waited == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while waiting to upload again");
        }
    }
}

}  // namespace vembed::cyberun
