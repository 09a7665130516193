#include "service/endpoints/job_body.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <boost/json/basic_parser_impl.hpp>

namespace vembed::service {
namespace {

namespace json = boost::json;

constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t spec_bytes_max = 65'536;

enum class kind : std::uint8_t { text, texts };

struct field {
    std::string_view name;
    kind type;
    std::size_t bytes_max;
    bool seen = false;
    std::string text = {};
};

// Takes the parser's events and keeps what the fields ask for; the first event that does not fit ends the parse.
class body_handler {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    using error_code = boost::system::error_code;
    using view = json::string_view;

    explicit body_handler(std::span<field> fields) : fields_(fields) {}

    text_list texts;
    std::optional<refusal> problem;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& ec) {
        if (depth_++ != 0) {
            return refuse(ec, wrong_type());
        }
        return true;
    }
    bool on_object_end(std::size_t, error_code&) { return true; }

    bool on_array_begin(error_code& ec) {
        if (current_ == nullptr || in_texts_ || current_->type != kind::texts) {
            return refuse(ec, wrong_type());
        }
        in_texts_ = true;
        return true;
    }
    bool on_array_end(std::size_t, error_code&) {
        in_texts_ = false;
        return true;
    }

    bool on_key_part(view part, std::size_t, error_code& ec) {
        if (key_.size() + part.size() > key_bytes_max) {
            return refuse(ec, "there is an unknown field");
        }
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(view part, std::size_t size, error_code& ec) {
        if (!on_key_part(part, size, ec)) {
            return false;
        }
        current_ = find_field();
        if (current_ == nullptr) {
            return refuse(ec, "there is an unknown field" + shown_key());
        }
        if (current_->seen) {
            return refuse(ec, "the field" + shown_key() + " is given twice");
        }
        current_->seen = true;
        key_.clear();
        return true;
    }

    bool on_string_part(view part, std::size_t, error_code& ec) {
        if (in_texts_) {
            if (texts.open_size() + part.size() > input_bytes_max) {
                return refuse(ec, input_name() + " is longer than 65536 bytes");
            }
            texts.append(std::string_view(part.data(), part.size()));
            return true;
        }
        if (current_ == nullptr || current_->type != kind::text) {
            return refuse(ec, wrong_type());
        }
        if (current_->text.size() + part.size() > current_->bytes_max) {
            return refuse(ec, std::string(current_->name) + " is too long");
        }
        current_->text.append(part.data(), part.size());
        return true;
    }
    bool on_string(view part, std::size_t size, error_code& ec) {
        if (!on_string_part(part, size, ec)) {
            return false;
        }
        if (!in_texts_) {
            return true;
        }
        if (texts.open_size() == 0) {
            return refuse(ec, input_name() + " is empty");
        }
        if (texts.size() == inputs_max) {
            return refuse(ec, refusal(413, "request_too_large", "there are more than 1000 inputs"));
        }
        texts.end_text();
        return true;
    }

    bool on_number_part(view, error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_int64(std::int64_t, view, error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_uint64(std::uint64_t, view, error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_double(double, view, error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_bool(bool, error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_null(error_code& ec) { return refuse(ec, wrong_type()); }
    bool on_comment_part(view, error_code&) { return true; }
    bool on_comment(view, error_code&) { return true; }

private:
    bool refuse(error_code& ec, std::string what) { return refuse(ec, invalid_request(std::move(what))); }
    bool refuse(error_code& ec, refusal why) {
        problem = std::move(why);
        ec = json::error::exception;
        return false;
    }

    [[nodiscard]] std::string input_name() const { return "input " + std::to_string(texts.size()); }

    [[nodiscard]] std::string wrong_type() const {
        if (current_ == nullptr) {
            return "the body must be a JSON object";
        }
        if (in_texts_) {
            return input_name() + " is not a string";
        }
        return std::string(current_->name) +
               (current_->type == kind::texts ? " must be an array of strings" : " must be a string");
    }

    // The sender's own bytes are put into the message only if they are printable.
    [[nodiscard]] std::string shown_key() const {
        const bool plain = std::all_of(key_.begin(), key_.end(), [](char c) { return c > ' ' && c < 0x7f; });
        return plain ? " `" + key_ + "`" : std::string();
    }

    [[nodiscard]] field* find_field() const {
        const auto found =
            std::find_if(fields_.begin(), fields_.end(), [this](const field& f) { return f.name == key_; });
        return found == fields_.end() ? nullptr : &*found;
    }

    std::span<field> fields_;
    field* current_ = nullptr;
    std::string key_;
    std::size_t depth_ = 0;
    bool in_texts_ = false;
};

// Parses `text` into `fields`; the result holds the texts of the array field if there is one.
answer<text_list> read_fields(std::string_view text, std::span<field> fields) {
    json::basic_parser<body_handler> parser(json::parse_options{}, fields);
    parser.handler().texts.reserve(std::min(text.size(), inputs_max * input_bytes_max));
    boost::system::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (parser.handler().problem) {
        return *std::move(parser.handler().problem);
    }
    if (ec) {
        return invalid_request("the body is not JSON in UTF-8: " + ec.message() + " at byte " + std::to_string(used));
    }
    if (used < text.size()) {
        return invalid_request("there is text after the JSON object");
    }
    parser.handler().texts.shrink();  // Escaped text is shorter once it is decoded.
    return std::move(parser.handler().texts);
}

std::optional<refusal> check_forms(std::span<const field> fields, bool with_commitment) {
    const bool current = fields[0].seen || fields[1].seen;
    const bool older = fields[2].seen || fields[3].seen;
    if (current && older) {
        return invalid_request("`model` and `inputs` must not be mixed with `spec_yaml` and `input_texts`");
    }
    const std::span<const field> form = older ? fields.subspan(2, 2) : fields.first(2);
    for (const field& needed : form) {
        if (!needed.seen) {
            return invalid_request("the field `" + std::string(needed.name) + "` is missing");
        }
    }
    if (form[0].text.empty()) {
        return invalid_request("`" + std::string(form[0].name) + "` is empty");
    }
    if (with_commitment && !fields[4].seen) {
        return invalid_request("the field `claimed_output_commitment` is missing");
    }
    return std::nullopt;
}

}  // namespace

answer<job_body> read_job_body(std::string_view text, bool with_commitment) {
    std::array<field, 5> fields{field{"model", kind::text, name_bytes_max}, field{"inputs", kind::texts, 0},
                                field{"spec_yaml", kind::text, spec_bytes_max}, field{"input_texts", kind::texts, 0},
                                field{"claimed_output_commitment", kind::text, name_bytes_max}};
    answer<text_list> texts = read_fields(text, std::span(fields).first(with_commitment ? 5 : 4));
    if (!texts) {
        return std::move(texts).error();
    }
    if (std::optional<refusal> problem = check_forms(fields, with_commitment)) {
        return *std::move(problem);
    }
    if (texts->size() == 0) {
        return invalid_request("there are no inputs");
    }
    job_body body;
    body.model = std::move(fields[0].text);
    body.spec_yaml = std::move(fields[2].text);
    body.claimed_output_commitment = std::move(fields[4].text);
    body.inputs = *std::move(texts);
    return body;
}

answer<std::string> read_revoke_body(std::string_view text) {
    std::array<field, 1> fields{field{"key_id", kind::text, name_bytes_max}};
    const answer<text_list> read = read_fields(text, fields);
    if (!read) {
        return read.error();
    }
    if (!fields[0].seen) {
        return invalid_request("the field `key_id` is missing");
    }
    return std::move(fields[0].text);
}

}  // namespace vembed::service
