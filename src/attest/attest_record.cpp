#include "attest/attest_record.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <boost/json/parse.hpp>

#include "core/redaction.hpp"
#include "folder/read/folder_lines.hpp"
#include "text/json/json_fields.hpp"
#include "text/json/json_text.hpp"
#include "text/json/readable_json.hpp"

namespace vembed::attest {
namespace {

constexpr std::array<std::pair<claim_outcome, std::string_view>, 6> outcome_names = {{
    {claim_outcome::attested, "attested"},
    {claim_outcome::rejected, "rejected"},
    {claim_outcome::unverified, "unverified"},
    {claim_outcome::timed_out, "timed_out"},
    {claim_outcome::unknown, "unknown"},
    {claim_outcome::refused, "refused"},
}};

void member(std::string& line, std::string_view name, std::string_view text) {
    line += ",\"";
    line += name;
    line += "\":";
    text::append_json_string(line, text);
}

std::string claim_text(const row_claim& claim) {
    std::string line = "\"rows\":[" + std::to_string(claim.first) + "," + std::to_string(claim.end) + "]";
    member(line, "commitment", claim.commitment);
    member(line, "inputs_root", claim.inputs_root);
    return line;
}

std::optional<row_claim> claim_in(const boost::json::object& object) {
    const auto* rows = object.if_contains("rows");
    if (rows == nullptr || !rows->is_array() || rows->get_array().size() != 2) {
        return std::nullopt;
    }
    const auto first = text::number_of(rows->get_array()[0]);
    const auto end = text::number_of(rows->get_array()[1]);
    row_claim claim;
    claim.commitment = text::text_of(object, "commitment");
    claim.inputs_root = text::text_of(object, "inputs_root");
    if (!first || !end || *first >= *end || claim.commitment.size() != 64 || claim.inputs_root.size() != 64) {
        return std::nullopt;
    }
    claim.first = *first;
    claim.end = *end;
    return claim;
}

std::string header_of(const attest_identity& identity) {
    std::string line = "{\"vembed_attest\":1";
    member(line, "service", identity.service);
    member(line, "model", identity.model);
    member(line, "spec_sha256", identity.spec_sha256);
    return line + "}";
}

error not_ours(const std::string& path, const std::string& what) {
    return {errc::bad_input,
            path + " " + what + ": give attest_options::output_file another name, or move that file away"};
}

// The offset at which the last whole line ends.
result<std::uint64_t> end_of_lines(int fd, const std::string& path) {
    const auto size = storage::size_of(fd, path);
    if (!size) {
        return size.error();
    }
    std::array<char, 4096> block{};
    for (std::uint64_t end = *size; end > 0;) {
        const std::uint64_t begin = end - std::min<std::uint64_t>(end, block.size());
        const auto got = storage::read_at(storage::system_file_ops(), fd, block.data(), end - begin, begin, path);
        if (!got) {
            return got.error();
        }
        const std::size_t feed = std::string_view(block.data(), *got).rfind('\n');
        if (feed != std::string_view::npos) {
            return begin + feed + 1;
        }
        end = begin;
    }
    return std::uint64_t{0};
}

}  // namespace

std::string line_of(const claim_record& record) {
    std::string line = "{" + claim_text(record.claim);
    member(line, "outcome", to_string(record.outcome));
    // These are the service's own words, which may quote the key back.
    member(line, "job_id", masked_keys(record.job_id));
    member(line, "receipt_id", masked_keys(record.receipt_id));
    member(line, "reason", masked_keys(record.reason));
    line += ",\"checks\":";
    text::append_json_document(line, masked_json(record.checks));
    line += ",\"receipt\":";
    text::append_json_document(line, masked_json(record.receipt));
    return line + "}";
}

std::optional<boost::json::object> outcome_object(std::string_view line) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    constexpr std::string_view receipt = ",\"receipt\":";
    std::string text = text::readable_json(line);
    // Quotes within strings are escaped, so this match is the member itself and never text within a string.
    const std::size_t at = text.find(std::string(receipt).append(mark));
    if (at != std::string::npos) {
        text.erase(at + receipt.size(), mark.size());
    }
    boost::json::parse_options options;
    options.max_depth = text::json_depth_max + 16;  // The receipt stands some objects deep in the line.
    boost::system::error_code bad;
    boost::json::value parsed = boost::json::parse(text, bad, {}, options);
    return bad || !parsed.is_object() ? std::nullopt : std::optional(std::move(parsed.get_object()));
}

std::optional<claim_record> record_of(std::string_view line) {
    const auto object = outcome_object(line);
    auto claim = object ? claim_in(*object) : std::nullopt;
    if (!claim) {
        return std::nullopt;
    }
    claim_record record;
    record.claim = std::move(*claim);
    record.job_id = text::text_of(*object, "job_id");
    record.receipt_id = text::text_of(*object, "receipt_id");
    record.reason = text::text_of(*object, "reason");
    const std::string outcome = text::text_of(*object, "outcome");
    for (const auto& [value, name] : outcome_names) {
        if (name == outcome) {
            record.outcome = value;
            return record;
        }
    }
    return std::nullopt;
}

bool claim_history::add(const recorded_claim& record) {
    auto from = by_row_.lower_bound(record.claim.first);
    if (from != by_row_.begin() && std::prev(from)->second.claim.end > record.claim.first) {
        --from;
    }
    const auto to = by_row_.lower_bound(record.claim.end);
    for (auto old = from; old != to; ++old) {
        if (old->second.outcome == claim_outcome::attested) {
            return false;
        }
    }
    by_row_.erase(from, to);
    recorded_claim kept = record;
    kept.checks.clear();
    kept.receipt.clear();
    by_row_.emplace(record.claim.first, std::move(kept));
    return true;
}

const recorded_claim* claim_history::at(std::uint64_t first) const {
    const auto found = by_row_.find(first);
    return found == by_row_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> claim_history::next_after(std::uint64_t first) const {
    const auto found = by_row_.upper_bound(first);
    return found == by_row_.end() ? std::nullopt : std::optional(found->first);
}

result<attest_record_file> attest_record_file::open(const std::string& path, const attest_identity& identity,
                                                    claim_history& history) {
    attest_record_file made;
    made.path_ = path;
    made.sent_path_ = path + ".sent";
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
        return error(errc::invalid_argument,
                     path +
                         " is no regular file: the next run reads there what is attested "
                         "already, and asks for the rest only; give attest_options::output_file a regular "
                         "file");
    }
    storage::file_ops& ops = storage::system_file_ops();
    auto lock = storage::file_lock::acquire(made.sent_path_, path);
    if (!lock) {
        return lock.error();
    }
    made.lock_ = std::move(*lock);
    auto fd = storage::open_file(ops, path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    auto sent = storage::open_file(ops, made.sent_path_, O_RDWR | O_CREAT);
    if (!sent) {
        return sent.error();
    }
    made.sent_fd_ = std::move(*sent);
    if (auto read = made.read(identity, history); !read) {
        return read.error();
    }
    if (auto recovered = made.recover(history); !recovered) {
        return recovered.error();
    }
    if (auto named = storage::sync_folder(ops, storage::folder_of(path)); !named) {
        return named.error();
    }
    return made;
}

result<void> attest_record_file::read(const attest_identity& identity, claim_history& history) {
    const std::string header = header_of(identity);
    const auto end = end_of_lines(fd_.get(), path_);
    const auto size = storage::size_of(fd_.get(), path_);
    if (!end || !size) {
        return !end ? end.error() : size.error();
    }
    if (*end == 0) {
        std::string torn(std::min<std::uint64_t>(*size, header.size() + 1), '\0');
        const auto got = storage::read_at(storage::system_file_ops(), fd_.get(), torn.data(), torn.size(), 0, path_);
        if (!got) {
            return got.error();
        }
        if (!header.starts_with(torn)) {
            return not_ours(path_, "is not a file of attest_corpus()");
        }
        return append(fd_, end_, path_, header);
    }
    std::uint64_t read_to = 0;
    auto read = folder::for_each_line(path_, [&](std::string_view line, std::uint64_t number) -> result<void> {
        if (read_to >= *end) {
            return {};  // This line was not written whole.
        }
        read_to += line.size() + 1;
        if (number == 1) {
            const auto object = text::object_of(line);
            if (!object || text::number_of(*object, "vembed_attest") != 1U) {
                return not_ours(path_, "is not a file of attest_corpus()");
            }
            if (line != header) {
                return error(errc::folder_mismatch, path_ +
                                                        " is of another service, model or specification than "
                                                        "this call's: give attest_options::output_file another name");
            }
            return {};
        }
        auto read_record = record_of(line);
        recorded_claim record(read_record.value_or(claim_record()));
        record.offset = read_to - line.size() - 1;
        record.line_bytes = line.size();
        record.line = number;
        if (!read_record || !history.add(record)) {
            return not_ours(path_, "line " + std::to_string(number) + " is not what attest_corpus() writes");
        }
        return {};
    });
    if (!read) {
        return read;
    }
    end_ = *end;
    return storage::truncate_file(storage::system_file_ops(), fd_.get(), *end, path_);
}

// An outcome is durable before its claim leaves the list of claims under way. A claim that is still listed therefore
// has no outcome, unless its process ended between the two writes.
result<void> attest_record_file::recover(claim_history& history) {
    const auto end = end_of_lines(sent_fd_.get(), sent_path_);
    if (!end) {
        return end.error();
    }
    struct sent_claim {
        row_claim claim;
        std::uint64_t at;  // Its outcome was to be written at this offset or later.
    };
    std::map<std::uint64_t, sent_claim> open;
    std::uint64_t read_to = 0;
    auto read = folder::for_each_line(sent_path_, [&](std::string_view line, std::uint64_t) -> result<void> {
        if (read_to >= *end) {
            return {};
        }
        read_to += line.size() + 1;
        const auto object = text::object_of(line);
        const auto number = object ? text::number_of(*object, "request") : std::nullopt;
        if (!number) {
            return not_ours(sent_path_, "is not a file of attest_corpus()");
        }
        if (const auto claim = claim_in(*object)) {
            open.insert_or_assign(*number, sent_claim{*claim, text::number_of(*object, "at").value_or(0)});
        } else {
            open.erase(*number);
        }
        return {};
    });
    if (!read) {
        return read;
    }
    for (const auto& [number, sent] : open) {
        recorded_claim record;
        record.claim = sent.claim;
        record.offset = end_;
        record.reason = "the program ended before the response came";
        const recorded_claim* const known = history.at(sent.claim.first);
        const bool answered = known != nullptr && known->offset >= sent.at;
        if (answered || !history.add(record)) {
            continue;
        }
        if (auto written = append(fd_, end_, path_, line_of(record)); !written) {
            return written;
        }
    }
    return storage::truncate_file(storage::system_file_ops(), sent_fd_.get(), 0, sent_path_);
}

result<void> attest_record_file::append(storage::unique_fd& fd, std::uint64_t& end, const std::string& path,
                                        const std::string& line) {
    storage::file_ops& ops = storage::system_file_ops();
    const std::string text = line + "\n";
    if (auto written = storage::write_at(ops, fd.get(), text.data(), text.size(), end, path); !written) {
        return written;
    }
    end += text.size();
    return storage::sync_data(ops, fd.get(), path);
}

result<std::string> attest_record_file::read_again(const recorded_claim& record) const {
    std::string line(record.line_bytes, '\0');
    const auto got =
        storage::read_at(storage::system_file_ops(), fd_.get(), line.data(), line.size(), record.offset, path_);
    if (!got) {
        return got.error();
    }
    line.resize(*got);
    return line;
}

result<std::uint64_t> attest_record_file::begin(const row_claim& claim) {
    const std::uint64_t number = next_number_++;
    const std::string line =
        "{\"request\":" + std::to_string(number) + ",\"at\":" + std::to_string(end_) + "," + claim_text(claim) + "}";
    if (auto written = append(sent_fd_, sent_end_, sent_path_, line); !written) {
        return written.error();
    }
    ++under_way_;
    return number;
}

result<void> attest_record_file::finish(std::uint64_t number, const claim_record& record) {
    if (auto written = append(fd_, end_, path_, line_of(record)); !written) {
        return written;
    }
    return withdraw(number);
}

result<void> attest_record_file::withdraw(std::uint64_t number) {
    if (--under_way_ == 0) {
        sent_end_ = 0;
        return storage::truncate_file(storage::system_file_ops(), sent_fd_.get(), 0, sent_path_);
    }
    return append(sent_fd_, sent_end_, sent_path_, "{\"request\":" + std::to_string(number) + "}");
}

}  // namespace vembed::attest

namespace vembed {

std::string_view to_string(claim_outcome outcome) noexcept {
    return attest::outcome_names[static_cast<std::size_t>(outcome)].second;
}

}  // namespace vembed
