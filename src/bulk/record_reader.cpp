#include "bulk/record_reader.hpp"

#include <algorithm>
#include <utility>

namespace vembed::bulk {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

class line_records final : public record_reader {
public:
    explicit line_records(line_reader lines) : lines_(std::move(lines)) {}

    result<bool> next(source_row& row) override {
        std::string_view line;
        auto more = lines_.next(line);
        if (!more || !*more) {
            return more;
        }
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        row.text.assign(line);
        row.id.clear();
        row.origin = origin_of(lines_, lines_.number());
        row.defect.clear();
        return true;
    }

private:
    line_reader lines_;
};

}  // namespace

corpus_format resolve_format(corpus_format format, const std::string& path) {
    if (format != corpus_format::automatic) {
        return format;
    }
    const std::string lowered = lower(path);
    std::string_view name = lowered;
    for (const std::string_view packed : {".gz", ".zst", ".zstd"}) {
        if (name.ends_with(packed)) {
            name.remove_suffix(packed.size());
            break;
        }
    }
    if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) {
        return corpus_format::jsonl;
    }
    if (name.ends_with(".csv")) {
        return corpus_format::csv;
    }
    return name.ends_with(".tsv") ? corpus_format::tsv : corpus_format::lines;
}

std::string_view format_name(corpus_format format) noexcept {
    switch (format) {
        case corpus_format::automatic: return "automatic";
        case corpus_format::lines: return "lines";
        case corpus_format::jsonl: return "jsonl";
        case corpus_format::csv: return "csv";
        case corpus_format::tsv: return "tsv";
    }
    return "invalid";
}

result<std::unique_ptr<record_reader>> open_records(const std::string& path, const file_source_options& options) {
    auto bytes = open_corpus_bytes(path, options.bytes_read);
    if (!bytes) {
        return bytes.error();
    }
    line_reader lines(std::move(*bytes), path, options.max_record_bytes);
    if (auto begun = lines.skip_byte_order_mark(); !begun) {
        return begun.error();
    }
    switch (resolve_format(options.format, path)) {
        case corpus_format::jsonl: return make_jsonl_records(std::move(lines), options);
        case corpus_format::csv: return make_csv_records(std::move(lines), ',', options);
        case corpus_format::tsv: return make_csv_records(std::move(lines), '\t', options);
        case corpus_format::automatic:
        case corpus_format::lines: break;
    }
    return make_line_records(std::move(lines));
}

std::unique_ptr<record_reader> make_line_records(line_reader lines) {
    return std::make_unique<line_records>(std::move(lines));
}

std::string origin_of(const line_reader& lines, std::uint64_t line) {
    std::string origin;
    const std::string number = std::to_string(line);
    origin.reserve(lines.path().size() + 1 + number.size());
    origin.append(lines.path()).append(1, ':').append(number);
    return origin;
}

std::string quoted(std::string_view name) {
    constexpr std::size_t most = 64;
    std::string out = "\"";
    for (const char c : name.substr(0, most)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out + (name.size() > most ? "...\"" : "\"");
}

std::string quoted_list(const std::vector<std::string>& names) {
    constexpr std::size_t most = 32;
    std::string out;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
        out += (i == 0 ? "" : ", ") + quoted(names[i]);
    }
    return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more" : out;
}

}  // namespace vembed::bulk
