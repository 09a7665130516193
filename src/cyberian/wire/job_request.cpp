#include "cyberian/wire/job_request.hpp"

#include <algorithm>
#include <fstream>

#include "cyberian/wire/json_text.hpp"
#include "text/utf8.hpp"

namespace vembed {

job_request job_request::for_model(std::string model_id, std::vector<std::string> texts) {
    job_request made;
    made.model = std::move(model_id);
    made.inputs = std::move(texts);
    return made;
}

job_request job_request::for_spec(std::string spec_text, std::vector<std::string> texts) {
    job_request made;
    made.spec_yaml = std::move(spec_text);
    made.inputs = std::move(texts);
    return made;
}

result<job_request> job_request::for_spec_file(const std::string& path, std::vector<std::string> texts) {
    constexpr std::size_t spec_bytes_max = 1 << 20;
    std::ifstream file(path, std::ios::binary);
    std::string text(spec_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const auto size = static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0));
    if (!file.eof() || size > spec_bytes_max) {
        return error(errc::io, "cannot read the specification " + path +
                                   (size > spec_bytes_max ? ": it is larger than 1 MB" : ""));
    }
    text.resize(size);
    return for_spec(std::move(text), std::move(texts));
}

namespace cyberian {
namespace {

// The service refuses unknown fields, so the two forms are written separately and never mixed.
std::string write_inputs(const request_view& request) {
    std::size_t size = request.model.size() + request.spec_yaml.size() + 256;
    for (const std::string& text : request.inputs) {
        size += text.size() + text.size() / 32 + 3;
    }
    std::string out;
    out.reserve(size);
    const bool current = request.spec_yaml.empty();
    out += current ? R"({"model":)" : R"({"spec_yaml":)";
    append_json_string(out, current ? request.model : request.spec_yaml);
    out += current ? R"(,"inputs":[)" : R"(,"input_texts":[)";
    bool first = true;
    for (const std::string& text : request.inputs) {
        if (!first) {
            out += ',';
        }
        first = false;
        append_json_string(out, text);
    }
    out += ']';
    return out;
}

}  // namespace

result<void> check(const request_view& request, std::size_t most_inputs) {
    if (request.model.empty() == request.spec_yaml.empty()) {
        return error(errc::invalid_argument, request.model.empty() ? "name a model (or give a specification)"
                                                                   : "give a model or a specification, not both");
    }
    if (text::first_invalid_utf8(request.model) || text::first_invalid_utf8(request.spec_yaml)) {
        return error(errc::invalid_argument, "the model or specification is not valid UTF-8");
    }
    if (request.inputs.empty()) {
        return error(errc::invalid_argument, "there are no inputs");
    }
    if (request.inputs.size() > most_inputs) {
        return error(errc::invalid_argument, "there are " + std::to_string(request.inputs.size()) +
                                                 " inputs; one job takes at most " + std::to_string(most_inputs));
    }
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const std::optional<std::string> why = policy::why_refused(request.inputs[i]);
        if (why) {
            return error(errc::invalid_argument, "input " + std::to_string(i) + " " + *why);
        }
    }
    return {};
}

std::string write_job_body(const request_view& request) {
    return write_inputs(request) + '}';
}

std::string write_verify_body(const request_view& request, std::string_view claimed_output_commitment) {
    std::string out = write_inputs(request);
    out += R"(,"claimed_output_commitment":)";
    append_json_string(out, claimed_output_commitment);
    out += '}';
    return out;
}

}  // namespace cyberian
}  // namespace vembed
