#include "corpus/records/jsonl_fields.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <utility>

namespace vembed::corpus {
namespace {

namespace json = boost::json;

constexpr std::size_t max_names = 33;
constexpr std::size_t max_name_bytes = 128;

/// Receives the events of one document. Depth 1 is inside the record's own object.
class field_handler {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    field_handler(std::string text_field, std::string id_field)
        : text_field_(std::move(text_field)), id_field_(std::move(id_field)) {}

    void begin_record() {
        depth_ = 0;
        is_object_ = false;
        current_ = nullptr;
        key_.clear();
        text_.kind = id_.kind = field_kind::absent;
        text_.value.clear();
        id_.value.clear();
        names_.clear();
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) {
        is_object_ = is_object_ || depth_ == 0;
        return nested();
    }
    bool on_object_end(std::size_t, json::error_code&) { return unnested(); }
    bool on_array_begin(json::error_code&) { return nested(); }
    bool on_array_end(std::size_t, json::error_code&) { return unnested(); }

    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        if (depth_ == 1) {
            key_.append(part.data(), part.size());
        }
        return true;
    }
    bool on_key(json::string_view last, std::size_t, json::error_code&) {
        if (depth_ != 1) {
            return true;
        }
        key_.append(last.data(), last.size());
        current_ = key_ == text_field_ ? &text_ : nullptr;
        if (current_ == nullptr && !id_field_.empty() && key_ == id_field_) {
            current_ = &id_;
        }
        if (current_ != nullptr) {
            current_->value.clear();
        }
        if (names_.size() < max_names) {
            names_.push_back(key_.substr(0, max_name_bytes));
        }
        key_.clear();
        return true;
    }

    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        if (wanted()) {
            current_->value.append(part.data(), part.size());
        }
        return true;
    }
    bool on_string(json::string_view last, std::size_t, json::error_code&) {
        if (wanted()) {
            current_->value.append(last.data(), last.size());
            finish(field_kind::string);
        }
        return true;
    }

    bool on_number_part(json::string_view part, json::error_code&) {
        if (wanted()) {
            current_->value.append(part.data(), part.size());
        }
        return true;
    }
    bool on_int64(std::int64_t, json::string_view last, json::error_code&) { return number(last); }
    bool on_uint64(std::uint64_t, json::string_view last, json::error_code&) { return number(last); }
    bool on_double(double, json::string_view last, json::error_code&) { return number(last); }
    bool on_bool(bool, json::error_code&) { return simple(field_kind::other); }
    bool on_null(json::error_code&) { return simple(field_kind::null); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

    bool is_object_ = false;
    json_field text_;
    json_field id_;
    std::vector<std::string> names_;

private:
    [[nodiscard]] bool wanted() const { return depth_ == 1 && current_ != nullptr; }
    void finish(field_kind kind) {
        current_->kind = kind;
        current_ = nullptr;
    }
    bool nested() {
        if (wanted()) {
            finish(field_kind::other);
        }
        ++depth_;
        return true;
    }
    bool unnested() {
        --depth_;
        return true;
    }
    bool number(json::string_view last) {
        if (wanted()) {
            current_->value.append(last.data(), last.size());
            finish(field_kind::number);
        }
        return true;
    }
    bool simple(field_kind kind) {
        if (wanted()) {
            finish(kind);
        }
        return true;
    }

    std::string text_field_;
    std::string id_field_;
    std::size_t depth_ = 0;
    json_field* current_ = nullptr;
    std::string key_;
};

json::parse_options reading_options() {
    json::parse_options options;
    options.max_depth = 256;
    // A text that is not UTF-8 makes one bad row, found when texts are checked; it does not end the corpus.
    options.allow_invalid_utf8 = true;
    return options;
}

}  // namespace

class jsonl_fields::impl {
public:
    impl(std::string text_field, std::string id_field)
        : parser(reading_options(), std::move(text_field), std::move(id_field)) {}
    json::basic_parser<field_handler> parser;
};

jsonl_fields::jsonl_fields(std::string text_field, std::string id_field)
    : impl_(std::make_unique<impl>(std::move(text_field), std::move(id_field))) {}
jsonl_fields::~jsonl_fields() = default;
jsonl_fields::jsonl_fields(jsonl_fields&&) noexcept = default;
jsonl_fields& jsonl_fields::operator=(jsonl_fields&&) noexcept = default;

std::string jsonl_fields::read(std::string_view record) {
    auto& parser = impl_->parser;
    parser.reset();
    parser.handler().begin_record();
    json::error_code error;
    const std::size_t used = parser.write_some(false, record.data(), record.size(), error);
    if (!error && used < record.size()) {
        error = json::error::extra_data;
    }
    if (error) {
        return "is not JSON (" + error.message() + " at byte " + std::to_string(used + 1) + ")";
    }
    return parser.handler().is_object_ ? "" : "is not a JSON object";
}

json_field& jsonl_fields::text() noexcept {
    return impl_->parser.handler().text_;
}
json_field& jsonl_fields::id() noexcept {
    return impl_->parser.handler().id_;
}
const std::vector<std::string>& jsonl_fields::names() const noexcept {
    return impl_->parser.handler().names_;
}

}  // namespace vembed::corpus
