#include "cli_aitbc/product_output.hpp"

#include <unistd.h>

#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "storage/replaced_file.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"
#include "text/utf8.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

result<void> write_file(const std::string& path, std::string_view bytes) {
    auto file = storage::replaced_file::create(path);
    if (!file) {
        return file.error();
    }
    if (auto written = file->append(bytes.data(), bytes.size()); !written) {
        return written;
    }
    return file->finish();
}

// Nothing can be written: the service put the product elsewhere, or there is none.
exit_code tell_absence(console& out, const std::string& id, const std::string& place, const std::string& file) {
    if (out.json()) {
        json::object about{{"job_id", text::json_string(id)}};
        if (!place.empty()) {
            about["place"] = text::json_string(place);
        }
        out.print_object("product", std::move(about));
    } else if (!place.empty()) {
        out.print(text::printable(place));
    }
    std::string why = place.empty() ? "the job gave no product" : "the product is at " + place + ": it is not fetched";
    if (file.empty()) {
        out.say(why);
        return exit_code::done;
    }
    out.warn(why + "; " + file + " was not written");
    return exit_code::error;
}

exit_code to_file(console& out, const std::string& id, std::string_view bytes, const std::string& content_type,
                  const std::string& file) {
    if (auto written = write_file(file, bytes); !written) {
        return give_up(out, written.error());
    }
    if (out.json()) {
        json::object about{{"job_id", text::json_string(id)}, {"file", text::json_string(file)}};
        about["bytes"] = bytes.size();
        if (!content_type.empty()) {
            about["content_type"] = text::json_string(content_type);
        }
        out.print_object("product", std::move(about));
    }
    out.say("wrote " + file + ", " + text::short_bytes(bytes.size()));
    return exit_code::done;
}

exit_code bytes_to_output(console& out, const std::string& id, const aitbc::job_product& product) {
    const bool is_text = !text::first_invalid_utf8(*product.bytes) && product.bytes->find('\0') == std::string::npos;
    const bool to_terminal = ::isatty(STDOUT_FILENO) == 1;
    if (!is_text && (out.json() || to_terminal)) {
        return give_up(
            out, error(errc::invalid_argument, "the product is binary: vembed aitbc download " + text::printable(id) +
                                                   " -o FILE writes it; so does standard output that goes "
                                                   "into a file, without --json"));
    }
    if (out.json()) {
        json::object about{{"job_id", text::json_string(id)}, {"text", text::json_string(*product.bytes)}};
        about["content_type"] = text::json_string(product.content_type);
        out.print_object("product", std::move(about));
    } else if (to_terminal) {
        out.print(text::printable_lines(*product.bytes));
    } else {
        out.write_data(*product.bytes);
    }
    return exit_code::done;
}

}  // namespace

exit_code write_product(const command_context& context, const aitbc_session& with, const std::string& id,
                        aitbc::job_product product, const std::string& file) {
    console& out = context.out;
    if (product.value) {
        json::value value = std::move(*product.value);
        out.mask(value);
        if (!file.empty()) {
            return to_file(out, id, json::serialize(value) + "\n", "application/json", file);
        }
        if (out.json()) {
            json::object about{{"job_id", text::json_string(id)}};
            about["value"] = std::move(value);
            out.print_object("product", std::move(about));
        } else {
            out.print(json::serialize(value));
        }
        return exit_code::done;
    }
    if (!product.bytes) {
        return tell_absence(out, id, product.place, file);
    }
    // A file with other bytes would be another file, so it is left as it is.
    if (product.bytes->find(with.key().reveal()) != std::string::npos) {
        out.warn("the product holds the API key: keep it private, and rotate the key if others can read it");
    }
    return file.empty() ? bytes_to_output(out, id, product)
                        : to_file(out, id, *product.bytes, product.content_type, file);
}

}  // namespace vembed::cli
