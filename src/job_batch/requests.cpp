#include "job_batch/requests.hpp"

#include <span>
#include <utility>

#include <vembed/verify/sha256.hpp>

namespace vembed::job_batch {
namespace {

constexpr std::size_t read_size = std::size_t{1} << 20;
constexpr std::size_t faults_named_max = 10;

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Collects the faults of lines, so that one run names several.
class line_faults {
public:
    void add(std::uint64_t line, const std::string& why) {
        if (++count_ <= faults_named_max) {
            text_ += "\n  line " + std::to_string(line) + ": " + why;
        }
    }
    [[nodiscard]] bool any() const noexcept { return count_ > 0; }
    [[nodiscard]] error as_error(const std::string& path) const {
        std::string text = std::to_string(count_) + (count_ == 1 ? " line of " : " lines of ") + path +
                           (count_ == 1 ? " is no request" : " are no requests") + "; nothing was submitted:" + text_;
        text += count_ > faults_named_max ? "\n  …" : "";
        return {errc::bad_input, std::move(text)};
    }

private:
    std::uint64_t count_ = 0;
    std::string text_;
};

}  // namespace

result<requests> requests::open(const std::string& path, const backend& by) {
    requests made;
    made.path_ = path;
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    storage::file_ops& ops = storage::system_file_ops();
    vembed::sha256 hash;
    line_faults faults;
    std::string pending;  // The bytes of the line that is not complete yet.
    std::uint64_t line = 1;
    std::uint64_t line_at = 0;
    const auto take_line = [&] {
        const bool too_long = pending.size() > line_bytes_max;
        if (too_long) {
            faults.add(line, "is longer than 16 MiB");
        } else if (!is_blank(pending)) {
            if (const result<void> good = by.check(pending); !good) {
                faults.add(line, good.error().message);
            }
            place at;
            at.at = line_at;
            at.line = line;
            at.size = static_cast<std::uint32_t>(pending.size());
            made.starts_.push_back(at);
        }
        pending.clear();
        ++line;
    };
    std::string block(read_size, '\0');
    for (std::uint64_t at = 0;;) {
        const result<std::size_t> read = storage::read_at(ops, made.fd_.get(), block.data(), block.size(), at, path);
        if (!read) {
            return read.error();
        }
        std::string_view fresh(block.data(), *read);
        hash.update(std::as_bytes(std::span(fresh)));
        const std::uint64_t end = at + *read;
        for (std::size_t cut = fresh.find('\n'); cut != std::string_view::npos; cut = fresh.find('\n')) {
            pending.append(fresh.substr(0, pending.size() > line_bytes_max ? 0 : cut));
            fresh.remove_prefix(cut + 1);
            take_line();
            line_at = end - fresh.size();
        }
        pending.append(fresh.substr(0, pending.size() > line_bytes_max ? 0 : fresh.size()));
        at = end;
        if (*read < block.size()) {
            break;
        }
    }
    if (!pending.empty()) {
        take_line();
    }
    made.sha256_ = to_hex(hash.finish());
    if (faults.any()) {
        return faults.as_error(path);
    }
    if (made.starts_.empty()) {
        return error(errc::bad_input, path + " holds no request: write one JSON object a line");
    }
    return made;
}

result<std::string> requests::text(std::uint64_t request) const {
    const place& where = starts_.at(request);
    std::string text(where.size, '\0');
    const result<std::size_t> read =
        storage::read_at(storage::system_file_ops(), fd_.get(), text.data(), text.size(), where.at, path_);
    if (!read) {
        return read.error();
    }
    if (*read < text.size() || text.find('\n') != std::string::npos) {
        return error(errc::bad_input, path_ + " was changed while its batch ran: restore it and run the same command");
    }
    return text;
}

}  // namespace vembed::job_batch
