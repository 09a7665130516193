#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <vembed/corpus/source.hpp>
#include <vembed/verify/sha256.hpp>

#include "corpus/lines/byte_reader.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"

namespace vembed {
namespace corpus {
namespace {

constexpr std::uint64_t max_record_bytes_max = std::uint64_t{1} << 30;

class file_source final : public row_source {
public:
    file_source(std::uint32_t rules, std::vector<std::string> paths, file_source_options options)
        : rules_(rules), paths_(std::move(paths)), options_(std::move(options)) {}

    result<std::optional<source_row>> next() override {
        source_row row;
        if (!failed_) {
            auto more = advance(row);
            if (!more) {
                failed_ = more.error();
            } else if (!*more) {
                return std::optional<source_row>();
            }
        }
        if (failed_) {
            return *failed_;
        }
        return std::optional<source_row>(std::move(row));
    }

private:
    result<bool> advance(source_row& row) {
        for (;;) {
            if (!records_) {
                if (next_path_ == paths_.size()) {
                    return false;
                }
                auto opened = open_records(paths_[next_path_], options_, rules_);
                if (!opened) {
                    return opened.error();
                }
                records_ = std::move(*opened);
                ++next_path_;
            }
            auto more = records_->next(row);
            if (!more || *more) {
                return more;
            }
            records_.reset();
        }
    }

    std::uint32_t rules_;
    std::vector<std::string> paths_;
    file_source_options options_;
    std::size_t next_path_ = 0;
    std::unique_ptr<record_reader> records_;
    std::optional<error> failed_;
};

// Fails if an option was given for a format that no file of the corpus has.
result<void> check_options_apply(const std::vector<std::string>& paths, const file_source_options& options) {
    bool has_fields = false;
    bool has_lines = false;
    bool has_tsv = false;
    for (const std::string& path : paths) {
        const corpus_format format = resolve_format(options.format, path);
        has_fields = has_fields || format != corpus_format::lines;
        has_lines = has_lines || format == corpus_format::lines;
        has_tsv = has_tsv || format == corpus_format::tsv;
    }
    if (options.blank != blank_lines::keep && !has_lines) {
        return error(errc::invalid_argument,
                     "--blank-lines (blank) is for plain lines, and no file of the corpus is read as such");
    }
    if (options.tsv_quotes && !has_tsv) {
        return error(errc::invalid_argument,
                     "--tsv-quotes (tsv_quotes) is for TSV, and no file of the corpus is read as such");
    }
    if (has_fields || (options.id_field.empty() && options.text_field == file_source_options().text_field)) {
        return {};
    }
    const std::string option = options.id_field.empty() ? "--text-field (text_field)" : "--id-field (id_field)";
    return error(errc::invalid_argument, option +
                                             " is for JSONL, CSV and TSV, and the corpus is read as plain lines; "
                                             "--format jsonl, csv or tsv says what it is");
}

result<void> check_arguments(std::uint32_t rules, const std::vector<std::string>& paths,
                             const file_source_options& options) {
    if (paths.empty()) {
        return error(errc::invalid_argument, "no corpus: name at least one file");
    }
    if (options.text_field.empty()) {
        return error(errc::invalid_argument, "the name of the text field is empty");
    }
    if (options.max_record_bytes == 0 || options.max_record_bytes > max_record_bytes_max) {
        return error(errc::invalid_argument, "max_record_bytes must be from 1 to 1073741824 (1 GiB)");
    }
    return rules == first_reading_rules ? result<void>() : check_options_apply(paths, options);
}

/// What the first records of a file show.
class first_look {
public:
    bool good = false;   ///< At least one of them is a row.
    bool whole = false;  ///< The file has no other records.
    std::optional<error> why_not;

    first_look() = default;
};

// A bad record is one bad row. But if a file begins with bad records only, its text field may have another name, or its
// format may be another one.
result<first_look> look_at_first(const std::string& path, const file_source_options& options, std::uint32_t rules) {
    constexpr int records_max = 1000;
    auto records = open_records(path, options, rules);
    if (!records) {
        return records.error();
    }
    first_look seen;
    std::optional<error> first_defect;
    source_row row;
    for (int i = 0; i < records_max; ++i) {
        auto more = (*records)->next(row);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            seen.whole = true;
            break;
        }
        if (row.defect.empty() || row.blank) {
            seen.good = true;
            return seen;
        }
        if (!first_defect) {
            first_defect = error(errc::bad_input, row.origin + ": " + row.defect);
        }
    }
    seen.why_not = first_defect ? (*records)->why_not_begun(*first_defect) : std::nullopt;
    return seen;
}

// A small file of only bad records is accepted if another file of its format can be read. If a file has more bad
// records than are examined, its format or its names are taken to be wrong.
result<void> look_at_files(const std::vector<std::string>& paths, const file_source_options& options,
                           std::uint32_t rules) {
    std::set<corpus_format> readable;
    std::vector<std::pair<corpus_format, error>> doubtful;
    for (const std::string& path : paths) {
        auto seen = look_at_first(path, options, rules);
        if (!seen) {
            return seen.error();
        }
        const corpus_format format = resolve_format(options.format, path);
        if (seen->good) {
            readable.insert(format);
        }
        if (!seen->why_not) {
            continue;
        }
        if (!seen->whole || rules == first_reading_rules) {
            return *seen->why_not;
        }
        doubtful.emplace_back(format, *seen->why_not);
    }
    for (const auto& [format, why_not] : doubtful) {
        if (!readable.contains(format)) {
            return why_not;
        }
    }
    return {};
}

// The length comes before the content, so that two different lists of fields never hash alike.
void hash_field(sha256& hash, std::string_view field) {
    const std::string length = std::to_string(field.size()) + ":";
    hash.update(std::as_bytes(std::span(length)));
    hash.update(std::as_bytes(std::span(field)));
}

// Hashes only choices that differ from the defaults, so that the fingerprints of runs without them do not change. Under
// version 1 of the rules every blank line failed, and TSV had quotes.
void hash_choices(sha256& hash, corpus_format format, const file_source_options& options, std::uint32_t rules) {
    if (format == corpus_format::tsv && options.tsv_quotes && rules > first_reading_rules) {
        hash_field(hash, "quotes");
    }
    if (format == corpus_format::lines && options.blank == blank_lines::skip) {
        hash_field(hash, "blank lines skipped");
    }
    if (format == corpus_format::lines && options.blank == blank_lines::fail && rules > first_reading_rules) {
        hash_field(hash, "blank lines fail");
    }
}

/// The part of a file's bytes that is hashed.
class hashed_part {
public:
    std::uint64_t begin = 0;
    std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
    bool line_end_added = false;

    hashed_part() = default;
};

/// Both ends of a file, as far as they decide which part of it makes rows.
class file_ends {
public:
    file_ends() = default;

    void see(std::string_view block) {
        first_.append(block.substr(0, first_max - first_.size()));
        last_.append(block.substr(block.size() - std::min(block.size(), last_max)));
        last_.erase(0, last_.size() - std::min(last_.size(), last_max));
        size_ += block.size();
    }

    /// The part without the byte order mark that the reader drops, and with LF for any end of the last line. It must be
    /// read like the whole file: if there are two marks, the second is text; if there are two CR before the end, the
    /// first is.
    [[nodiscard]] hashed_part rows() const {
        constexpr std::string_view mark = "\xef\xbb\xbf";
        hashed_part part;
        const std::string_view first = first_;
        part.begin = first.starts_with(mark) && !first.substr(mark.size()).starts_with(mark) ? mark.size() : 0;
        part.end = size_;
        part.line_end_added = size_ > part.begin;
        std::string_view last = last_;
        last.remove_prefix(last.size() - std::min<std::uint64_t>(last.size(), size_ - part.begin));
        if (last.ends_with('\n')) {
            last.remove_suffix(1);
            --part.end;
        }
        if (last.ends_with('\r') && !last.ends_with("\r\r")) {
            --part.end;
        }
        return part;
    }

    /// Whether rows() covers exactly the file's own bytes.
    [[nodiscard]] bool are_plain() const {
        const hashed_part part = rows();
        return part.begin == 0 && (size_ == 0 || (last_.ends_with('\n') && part.end + 1 == size_));
    }

private:
    static constexpr std::size_t first_max = 6;  // Two byte order marks.
    static constexpr std::size_t last_max = 3;   // CR CR LF.

    std::string first_;
    std::string last_;
    std::uint64_t size_ = 0;
};

// From version 2 of the rules, the compression of a file does not count.
result<digest> digest_of_part(const std::string& path, std::uint32_t rules, const hashed_part& part, file_ends& ends) {
    auto bytes = rules == first_reading_rules ? open_stored_bytes(path) : open_corpus_bytes(path, nullptr);
    if (!bytes) {
        return bytes.error();
    }
    constexpr std::size_t block_bytes = 1024 * 1024;
    const std::unique_ptr<char[]> block(new char[block_bytes]);
    sha256 hash;
    for (std::uint64_t at = 0;;) {
        auto got = (*bytes)->read(block.get(), block_bytes);
        if (!got) {
            return got.error();
        }
        if (*got == 0) {
            break;
        }
        const std::string_view seen(block.get(), *got);
        ends.see(seen);
        const std::uint64_t from = std::clamp(part.begin, at, at + seen.size()) - at;
        const std::uint64_t to = std::clamp(part.end, at, at + seen.size()) - at;
        hash.update(std::as_bytes(std::span(seen.substr(from, to - from))));
        at += seen.size();
    }
    if (part.line_end_added) {
        hash.update(std::as_bytes(std::span("\n", 1)));
    }
    return hash.finish();
}

struct file_digests {
    digest rows{};
    digest bytes{};
};

// A file is read a second time only if its ends show that the two digests differ.
result<file_digests> digests_of_file(const std::string& path, std::uint32_t rules) {
    file_ends ends;
    auto bytes = digest_of_part(path, rules, hashed_part(), ends);
    if (!bytes) {
        return bytes.error();
    }
    if (rules == first_reading_rules || ends.are_plain()) {
        return file_digests{*bytes, *bytes};
    }
    file_ends again;
    auto rows = digest_of_part(path, rules, ends.rows(), again);
    if (!rows) {
        return rows.error();
    }
    return file_digests{*rows, *bytes};
}

void hash_file(sha256& whole, const std::string& path, const file_source_options& options, std::uint32_t rules,
               const digest& content) {
    const corpus_format format = resolve_format(options.format, path);
    hash_field(whole, format_name(format));
    if (format != corpus_format::lines) {
        hash_field(whole, options.text_field);
        hash_field(whole, options.id_field);
    }
    hash_choices(whole, format, options, rules);
    hash_field(whole, to_hex(content));
}

}  // namespace

result<std::unique_ptr<row_source>> open_files_by(std::uint32_t rules, std::vector<std::string> paths,
                                                  file_source_options options) {
    if (auto checked = check_arguments(rules, paths, options); !checked) {
        return checked.error();
    }
    file_source_options uncounted = options;
    uncounted.bytes_read = nullptr;
    if (auto looked = look_at_files(paths, uncounted, rules); !looked) {
        return looked.error();
    }
    return std::unique_ptr<row_source>(new file_source(rules, std::move(paths), std::move(options)));
}

result<corpus_fingerprints> fingerprints_of_corpus(std::uint32_t rules, const std::vector<std::string>& paths,
                                                   const file_source_options& options) {
    if (auto checked = check_arguments(rules, paths, options); !checked) {
        return checked.error();
    }
    sha256 by_rows;
    sha256 by_bytes;
    for (sha256* const whole : {&by_rows, &by_bytes}) {
        hash_field(*whole, rules == first_reading_rules ? "vembed corpus 1" : "vembed corpus 2");
    }
    for (const std::string& path : paths) {
        auto content = digests_of_file(path, rules);
        if (!content) {
            return content.error();
        }
        hash_file(by_rows, path, options, rules, content->rows);
        hash_file(by_bytes, path, options, rules, content->bytes);
    }
    corpus_fingerprints made;
    made.rows = to_hex(by_rows.finish());
    made.bytes = to_hex(by_bytes.finish());
    return made;
}

result<std::string> fingerprint_files_by(std::uint32_t rules, const std::vector<std::string>& paths,
                                         const file_source_options& options) {
    auto made = fingerprints_of_corpus(rules, paths, options);
    if (!made) {
        return made.error();
    }
    return std::move(made->bytes);
}

}  // namespace corpus

result<std::unique_ptr<row_source>> open_files(std::vector<std::string> paths, file_source_options options) {
    return corpus::open_files_by(corpus::latest_reading_rules, std::move(paths), std::move(options));
}

result<std::string> fingerprint_files(const std::vector<std::string>& paths, const file_source_options& options) {
    return corpus::fingerprint_files_by(corpus::latest_reading_rules, paths, options);
}

line_source::line_source(std::string path) : path_(std::move(path)) {}

result<std::optional<source_row>> line_source::next() {
    if (!source_) {
        file_source_options options;
        options.format = corpus_format::lines;
        auto opened = open_files({path_}, std::move(options));
        if (!opened) {
            return opened.error();
        }
        source_ = std::move(*opened);
    }
    return source_->next();
}

}  // namespace vembed
