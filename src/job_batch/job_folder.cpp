#include "job_batch/job_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vembed/verify/sha256.hpp>

#include "storage/replaced_file.hpp"

namespace vembed::job_batch {
namespace {

namespace json = boost::json;

constexpr const char* journal_name = "/journal.sqlite";
constexpr const char* records_name = "/records.jsonl";
constexpr const char* results_name = "/results.jsonl";
constexpr const char* failed_name = "/failed.jsonl";
constexpr const char* manifest_name = "/manifest.json";
constexpr const char* files_name = "/files";
constexpr std::size_t block_size = std::size_t{1} << 20;
constexpr std::size_t line_digits = 8;  // So that the names of files sort as the lines do.

// What a record is about.
class record_subject {
public:
    std::uint64_t request = 0;
    std::string job;  ///< Empty if the request was refused.

    record_subject() = default;
};

// Nothing if the record cannot be read.
std::optional<record_subject> subject_of(std::string_view record) {
    json::error_code broken;
    const json::value read = json::parse(record, broken);
    const json::object* object = broken ? nullptr : read.if_object();
    const json::value* number = object == nullptr ? nullptr : object->if_contains("request");
    const json::value* job = object == nullptr ? nullptr : object->if_contains("id");
    if (number == nullptr) {
        return std::nullopt;
    }
    json::error_code none;
    record_subject made;
    made.request = number->to_number<std::uint64_t>(none);
    made.job = job != nullptr && job->is_string() ? std::string(job->get_string()) : std::string();
    return none ? std::nullopt : std::optional(std::move(made));
}

// What results.jsonl shows of a record.
std::string shown(const std::string& record) {
    json::error_code broken;
    json::value read = json::parse(record, broken);
    if (!broken && read.is_object()) {
        read.get_object().erase("request");
    }
    return json::serialize(read) + "\n";
}

}  // namespace

std::string job_folder::files_folder() const {
    return path_ + files_name;
}

std::string job_folder::file_stem(std::uint64_t line) {
    const std::string text = std::to_string(line);
    return std::string(line_digits - std::min(line_digits, text.size()), '0') + text;
}

result<std::unique_ptr<job_folder>> job_folder::open(const std::string& path, const requests& of, const backend& by) {
    storage::file_ops& ops = storage::system_file_ops();
    std::unique_ptr<job_folder> made(new job_folder(path));
    if (const result<void> there = storage::make_folder(ops, path + files_name); !there) {
        return there.error();
    }
    made->states_.assign(of.count(), request_state::open);
    made->journal_ = make_sqlite_journal(path + journal_name);
    run_identity identity;
    identity.service = by.base_url();
    identity.model = by.name() + " jobs";
    identity.corpus = of.sha256();
    prior_visitor visitor;
    visitor.done = [&made](const journalled_batch& one) {
        return made->states_.size() > one.batch
                   ? (made->states_[one.batch] = request_state::done, result<void>())
                   : result<void>(error(errc::journal_damaged, "the journal names a request that the file has not"));
    };
    visitor.failed = [&made](std::uint64_t first, std::uint64_t last) {
        if (last > made->states_.size()) {
            return result<void>(error(errc::journal_damaged, "the journal names a request that the file has not"));
        }
        std::fill(made->states_.begin() + static_cast<std::ptrdiff_t>(first),
                  made->states_.begin() + static_cast<std::ptrdiff_t>(last), request_state::failed);
        return result<void>();
    };
    const result<prior_run> prior = made->journal_->open(identity, visitor);
    if (!prior) {
        return prior.error();
    }
    result<void> good = made->take_over(*prior);
    if (good) {
        good = made->read_records();
    }
    if (!good) {
        return good.error();
    }
    return made;
}

result<void> job_folder::take_over(const prior_run& prior) {
    for (const journalled_batch& one : prior.batches) {
        if (one.batch >= states_.size()) {
            return error(errc::journal_damaged, "the journal names a request that the file has not");
        }
        const bool known = one.state == batch_state::accepted;
        journalled_.insert(one.batch);
        states_[one.batch] = known ? request_state::accepted : request_state::in_doubt;
        if (known) {
            jobs_.emplace(one.batch, one.job_id);
        } else {
            sent_at_.emplace(one.batch, one.intended_at);
        }
    }
    return {};
}

// The last record of a request counts. A record that a kill cut off is dropped.
result<void> job_folder::read_records() {
    storage::file_ops& ops = storage::system_file_ops();
    const std::string path = path_ + records_name;
    auto fd = storage::open_file(ops, path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    records_ = std::move(*fd);
    std::string pending;
    std::string block(block_size, '\0');
    for (std::uint64_t at = 0;;) {
        const result<std::size_t> read = storage::read_at(ops, records_.get(), block.data(), block.size(), at, path);
        if (!read) {
            return read.error();
        }
        pending.append(block, 0, *read);
        at += *read;
        for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
            record_place where;
            where.at = records_end_;
            where.size = end;
            if (auto subject = subject_of(std::string_view(pending).substr(0, end))) {
                places_[subject->request] = where;
                ended_jobs_.push_back(std::move(subject->job));
            }
            records_end_ += end + 1;
            pending.erase(0, end + 1);
        }
        if (*read < block.size()) {
            break;
        }
    }
    for (std::uint64_t i = 0; i < states_.size(); ++i) {
        const bool ended = states_[i] == request_state::done || states_[i] == request_state::failed;
        if (ended && !places_.contains(i)) {
            return error(errc::journal_damaged, path + " lacks the record of request " + std::to_string(i + 1) +
                                                    ", which the journal says has ended: restore the folder");
        }
    }
    return storage::truncate_file(ops, records_.get(), records_end_, path);
}

result<void> job_folder::intend(std::uint64_t request, wall_time now) {
    journalled_.insert(request);
    return journal_->intend(request, {{request, request + 1}}, 0, now);
}

result<void> job_folder::forget(std::uint64_t request) {
    journalled_.erase(request);
    return journal_->forget(request);
}

result<void> job_folder::accept(std::uint64_t request, const std::string& job) {
    result<void> recorded = journal_->accept(request, job, 0);
    if (recorded) {
        states_[request] = request_state::accepted;
        jobs_[request] = job;
    }
    return recorded;
}

result<void> job_folder::doubt(std::uint64_t request) {
    const bool marked = states_[request] == request_state::in_doubt;
    states_[request] = request_state::in_doubt;
    return marked ? result<void>() : journal_->mark_unknown(request);
}

result<json::array> job_folder::save_files(std::uint64_t line, const std::vector<product_file>& files) const {
    json::array names;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = file_stem(line) + (i == 0 ? "" : "-" + std::to_string(i + 1)) + files[i].extension;
        auto file = storage::replaced_file::create(files_folder() + "/" + name);
        if (!file) {
            return file.error();
        }
        result<void> written = file->append(files[i].bytes.data(), files[i].bytes.size());
        if (written) {
            written = file->finish();
        }
        if (!written) {
            return written.error();
        }
        json::object one;
        one["name"] = name;
        one["bytes"] = files[i].bytes.size();
        one["sha256"] = to_hex(sha256_of(files[i].bytes));
        names.push_back(std::move(one));
    }
    return names;
}

result<void> job_folder::add_record(std::uint64_t request, const std::string& record) {
    storage::file_ops& ops = storage::system_file_ops();
    const std::string path = path_ + records_name;
    const std::string line = record + "\n";
    result<void> written = storage::write_at(ops, records_.get(), line.data(), line.size(), records_end_, path);
    if (written) {
        written = storage::sync_data(ops, records_.get(), path);
    }
    if (!written) {
        return written;
    }
    record_place where;
    where.at = records_end_;
    where.size = record.size();
    places_[request] = where;
    records_end_ += line.size();
    return {};
}

result<void> job_folder::end(std::uint64_t request, std::uint64_t line, const std::string& job, const job_end& how) {
    const result<json::array> files = save_files(line, how.files);
    if (!files) {
        return files.error();
    }
    json::object record;
    record["request"] = request;
    record["line"] = line;
    record["id"] = job.empty() ? json::value() : json::value(job);
    for (const auto& member : how.about) {
        record[member.key()] = member.value();
    }
    json::array all = how.kept;
    all.insert(all.end(), files->begin(), files->end());
    record["files"] = std::move(all);
    if (result<void> kept = add_record(request, json::serialize(record)); !kept) {
        return kept;
    }
    const std::array failed{journal_change::forget(request), journal_change::fail_row(request)};
    // A request that was refused before it was sent is no batch of the journal.
    const std::span changes = std::span(failed).subspan(journalled_.contains(request) ? 0 : 1);
    result<void> noted = how.failed ? journal_->commit(changes) : journal_->complete(request);
    if (noted) {
        journalled_.erase(request);
        states_[request] = how.failed ? request_state::failed : request_state::done;
        jobs_.erase(request);
    }
    return noted;
}

result<std::string> job_folder::record(std::uint64_t request) const {
    const record_place& where = places_.at(request);
    std::string text(static_cast<std::size_t>(where.size), '\0');
    const result<std::size_t> read = storage::read_at(storage::system_file_ops(), records_.get(), text.data(),
                                                      text.size(), where.at, path_ + records_name);
    if (!read) {
        return read.error();
    }
    return text;
}

result<void> job_folder::publish(const requests& of, const backend& by) const {
    auto results = storage::replaced_file::create(path_ + results_name);
    auto failed = storage::replaced_file::create(path_ + failed_name);
    if (!results || !failed) {
        return results ? failed.error() : results.error();
    }
    std::uint64_t done = 0;
    std::uint64_t without = 0;
    json::array doubts;
    for (std::uint64_t i = 0; i < states_.size(); ++i) {
        const bool is_failed = states_[i] == request_state::failed;
        if (states_[i] == request_state::in_doubt) {
            doubts.push_back(of.line_of(i));
        }
        if (!is_failed && states_[i] != request_state::done) {
            continue;
        }
        ++(is_failed ? without : done);
        const result<std::string> kept = record(i);
        const result<std::string> request = is_failed ? of.text(i) : result<std::string>(std::string());
        if (!kept || !request) {
            return kept ? request.error() : kept.error();
        }
        const std::string line = shown(*kept);
        result<void> written = results->append(line.data(), line.size());
        const std::string again = *request + "\n";
        if (written && is_failed) {
            written = failed->append(again.data(), again.size());
        }
        if (!written) {
            return written;
        }
    }
    json::object manifest;
    manifest["format"] = "vembed job batch 1";
    manifest["service"] = by.name();
    manifest["base_url"] = by.base_url();
    manifest["requests_sha256"] = of.sha256();
    manifest["requests"] = of.count();
    manifest["done"] = done;
    manifest["failed"] = without;
    manifest["in_doubt_lines"] = doubts;
    manifest["complete"] = done + without == of.count();
    result<void> finished = results->finish();
    if (finished) {
        finished = failed->finish();
    }
    return finished ? storage::replace_small_file(path_ + manifest_name, json::serialize(manifest) + "\n") : finished;
}

}  // namespace vembed::job_batch
