#include <array>
#include <optional>
#include <span>
#include <utility>

#include <vembed/bulk/source.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/byte_reader.hpp"
#include "bulk/record_reader.hpp"

namespace vembed {
namespace bulk {
namespace {

constexpr std::uint64_t max_record_bytes_max = std::uint64_t{1} << 30;

class file_source final : public row_source {
public:
    file_source(std::vector<std::string> paths, file_source_options options)
        : paths_(std::move(paths)), options_(std::move(options)) {}

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
                auto opened = open_records(paths_[next_path_], options_);
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

    std::vector<std::string> paths_;
    file_source_options options_;
    std::size_t next_path_ = 0;
    std::unique_ptr<record_reader> records_;
    std::optional<failure> failed_;
};

result<void> check_arguments(const std::vector<std::string>& paths, const file_source_options& options) {
    if (paths.empty()) {
        return failure(errc::invalid_argument, "no corpus: name at least one file");
    }
    if (options.text_field.empty()) {
        return failure(errc::invalid_argument, "the name of the text field is empty");
    }
    if (options.max_record_bytes == 0 || options.max_record_bytes > max_record_bytes_max) {
        return failure(errc::invalid_argument, "max_record_bytes must be from 1 to 1073741824 (1 GiB)");
    }
    return {};
}

// Length before content, so that no two different lists of fields hash alike.
void hash_field(sha256& hash, std::string_view field) {
    const std::string length = std::to_string(field.size()) + ":";
    hash.update(std::as_bytes(std::span(length)));
    hash.update(std::as_bytes(std::span(field)));
}

result<digest> digest_of_file(const std::string& path) {
    auto bytes = open_stored_bytes(path);
    if (!bytes) {
        return bytes.error();
    }
    constexpr std::size_t block_bytes = 1024 * 1024;
    const std::unique_ptr<char[]> block(new char[block_bytes]);
    sha256 hash;
    for (;;) {
        auto got = (*bytes)->read(block.get(), block_bytes);
        if (!got) {
            return got.error();
        }
        if (*got == 0) {
            return hash.finish();
        }
        hash.update(std::as_bytes(std::span(block.get(), *got)));
    }
}

}  // namespace
}  // namespace bulk

result<std::unique_ptr<row_source>> open_files(std::vector<std::string> paths, file_source_options options) {
    if (auto checked = bulk::check_arguments(paths, options); !checked) {
        return checked.error();
    }
    file_source_options first_look = options;
    first_look.bytes_read = nullptr;
    for (const std::string& path : paths) {
        auto records = bulk::open_records(path, first_look);
        if (!records) {
            return records.error();
        }
        source_row first;
        if (auto read = (*records)->next(first); !read) {
            return read.error();
        }
    }
    return std::unique_ptr<row_source>(new bulk::file_source(std::move(paths), std::move(options)));
}

result<std::string> fingerprint_files(const std::vector<std::string>& paths, const file_source_options& options) {
    if (auto checked = bulk::check_arguments(paths, options); !checked) {
        return checked.error();
    }
    sha256 whole;
    bulk::hash_field(whole, "vembed corpus 1");
    for (const std::string& path : paths) {
        auto content = bulk::digest_of_file(path);
        if (!content) {
            return content.error();
        }
        const corpus_format format = bulk::resolve_format(options.format, path);
        bulk::hash_field(whole, bulk::format_name(format));
        if (format != corpus_format::lines) {
            bulk::hash_field(whole, options.text_field);
            bulk::hash_field(whole, options.id_field);
        }
        bulk::hash_field(whole, to_hex(*content));
    }
    return to_hex(whole.finish());
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
