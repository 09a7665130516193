#include <vembed/folder/export_folder.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "folder/export/export_headers.hpp"
#include "folder/layout.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/records/embedding_file.hpp"
#include "storage/replaced_file.hpp"
#include "text/shell_words.hpp"

namespace vembed::folder {
namespace {

constexpr std::size_t copied_block_bytes = 1u << 20;

template <class Number>
void append_little_endian(std::string& out, Number value) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        out += static_cast<char>((value >> (8 * i)) & 0xff);
    }
}

bool all_nan(std::span<const float> row) {
    return std::all_of(row.begin(), row.end(), [](float value) { return std::isnan(value); });
}

/// Writes the selected rows and remembers which they are.
class row_exporter {
public:
    row_exporter(embedding_file from, const export_options& options)
        : from_(std::move(from)), options_(options), kept_(options.skip_failed ? from_.rows() : 0) {}

    result<export_report> run(const std::string& folder) {
        // The header's size must not depend on how many rows there will be: it is written last.
        auto header = header_for(from_.rows(), 0);
        if (!header) {
            return header.error();
        }
        auto file = storage::replaced_file::create(options_.file);
        if (!file) {
            return file.error();
        }
        if (file->is_stream() && options_.skip_failed) {
            return error(errc::invalid_argument,
                         options_.file +
                             " is no regular file: how many rows are left out is known at the end only, "
                             "and the ids need a file beside it; give -o a regular file with "
                             "--skip-failed");
        }
        report_.dimensions = from_.dimensions();
        if (auto begun = file->append(header->data(), header->size()); !begun) {
            return begun.error();
        }
        if (auto copied = copy_rows(*file); !copied) {
            return copied.error();
        }
        auto final_header = header_for(report_.rows, header->size());
        if (!final_header) {
            return final_header.error();
        }
        if (!file->is_stream()) {
            if (auto headed = file->write_at(0, final_header->data(), final_header->size()); !headed) {
                return headed.error();
            }
        }
        report_.rows_blank = report_.rows_failed == 0 ? 0 : std::min(report_.rows_failed, count_blank_rows(folder));
        report_.rows_failed -= report_.rows_blank;
        report_.bytes = final_header->size() + report_.rows * report_.dimensions * sizeof(float);
        if (options_.skip_failed) {
            if (auto ids = copy_ids(layout::in(folder, layout::ids)); !ids) {
                return ids.error();
            }
        }
        if (auto finished = file->finish(); !finished) {
            return finished.error();
        }
        return std::move(report_);
    }

private:
    [[nodiscard]] result<std::string> header_for(std::uint64_t rows, std::size_t size_min) const {
        return options_.format == export_format::fbin
                   ? fbin_header(rows, from_.dimensions())
                   : result<std::string>(safetensors_header(rows, from_.dimensions(), size_min));
    }

    result<void> copy_rows(storage::replaced_file& to) {
        return from_.read_rows(0, from_.rows(), [this, &to](std::span<const float> values) -> result<void> {
            if (options_.stop.stop_requested()) {
                return error(errc::cancelled, "interrupted; " + options_.file + " was not written");
            }
            return copy_block(to, values);
        });
    }

    result<void> copy_block(storage::replaced_file& to, std::span<const float> values) {
        const std::uint64_t dimensions = from_.dimensions();
        packed_.clear();
        for (std::size_t at = 0; at < values.size(); at += dimensions, ++row_) {
            const std::span<const float> row = values.subspan(at, dimensions);
            const bool failed = all_nan(row);
            report_.rows_failed += failed ? 1 : 0;
            if (failed && options_.skip_failed) {
                continue;
            }
            ++report_.rows;
            if (options_.skip_failed) {
                kept_[row_] = true;
                packed_.insert(packed_.end(), row.begin(), row.end());
            }
        }
        const std::span<const float> wanted = options_.skip_failed ? std::span<const float>(packed_) : values;
        return to.append(wanted.data(), wanted.size_bytes());
    }

    result<void> copy_ids(const std::string& path) {
        report_.ids_file = options_.file + ".ids.jsonl";
        auto to = storage::replaced_file::create(report_.ids_file);
        if (!to) {
            return to.error();
        }
        std::string text;
        auto read = for_each_line(path, [&](std::string_view line, std::uint64_t number) -> result<void> {
            if (number > kept_.size() || !kept_[number - 1]) {
                return {};
            }
            text.append(line).append(1, '\n');
            return text.size() < copied_block_bytes ? result<void>() : write_out(*to, text);
        });
        if (!read) {
            return read;
        }
        if (auto written = write_out(*to, text); !written) {
            return written;
        }
        return to->finish();
    }

    static result<void> write_out(storage::replaced_file& to, std::string& text) {
        auto written = to.append(text.data(), text.size());
        text.clear();
        return written;
    }

    embedding_file from_;
    const export_options& options_;
    std::vector<bool> kept_;
    std::vector<float> packed_;
    std::uint64_t row_ = 0;
    export_report report_;
};

}  // namespace

result<std::string> fbin_header(std::uint64_t rows, std::uint64_t dimensions) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    if (rows > most || dimensions > most) {
        return error(errc::invalid_argument, "an .fbin file holds at most 4,294,967,295 rows: use safetensors");
    }
    std::string out;
    append_little_endian(out, static_cast<std::uint32_t>(rows));
    append_little_endian(out, static_cast<std::uint32_t>(dimensions));
    return out;
}

std::string safetensors_header(std::uint64_t rows, std::uint64_t dimensions, std::size_t size_min) {
    constexpr std::size_t length_bytes = 8;
    std::string json = R"({"embeddings":{"dtype":"F32","shape":[)" + std::to_string(rows) + "," +
                       std::to_string(dimensions) + R"(],"data_offsets":[0,)" +
                       std::to_string(rows * dimensions * sizeof(float)) + "]}}";
    // The format allows spaces at the end, and the rows are to begin at a multiple of 8.
    json.resize(std::max(json.size(), size_min - std::min(size_min, length_bytes)), ' ');
    json.resize((json.size() + 7) / 8 * 8, ' ');
    std::string out;
    append_little_endian(out, static_cast<std::uint64_t>(json.size()));
    return out + json;
}

}  // namespace vembed::folder

namespace vembed {

result<export_report> export_folder(const std::string& folder, const export_options& options) {
    auto from = folder::embedding_file::open(folder);
    if (!from) {
        return from.error();
    }
    if (!from->complete()) {
        return error(errc::run_unfinished, "the run of " + folder +
                                               " is unfinished: run the same `vembed embed` again until it is done; "
                                               "`vembed status " +
                                               text::shell_path(folder) + "` says what is missing");
    }
    return folder::row_exporter(std::move(*from), options).run(folder);
}

}  // namespace vembed
