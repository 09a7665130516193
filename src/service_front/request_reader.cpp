#include "service_front/request_reader.hpp"

#include <algorithm>
#include <vector>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

namespace vembed::service_front {
namespace {

// The most memory that a Content-Length alone reserves; more is reserved only as bytes arrive.
constexpr std::uint64_t body_reserve_max = 1u << 20;

void take_once(std::string& into, bool& seen, boost::beast::string_view value, boost::system::error_code& ec) {
    if (seen) {
        ec = http::error::bad_field;
        return;
    }
    seen = true;
    into.assign(value.data(), value.size());
}

}  // namespace

request_reader::request_reader(request_storage& storage, std::uint32_t header_count_max)
    : storage_(storage), header_count_max_(header_count_max) {
    storage_.request.method.clear();
    storage_.request.target.clear();
    storage_.request.authorization.clear();
    storage_.request.content_type.clear();
    storage_.request.body = {};
    storage_.body.clear();
}

void request_reader::on_request_impl(http::verb, view method_text, view target, int version, error_code&) {
    storage_.request.method.assign(method_text.data(), method_text.size());
    storage_.request.target.assign(target.data(), target.size());
    version_ = version;
}

// The strings of a connection's former request are filled again: most requests of a connection have the same headers.
void request_reader::keep(view name, view value) {
    std::vector<header_field>& headers = storage_.request.headers;
    if (headers_kept_ == headers.size()) {
        headers.emplace_back();
    }
    header_field& into = headers[headers_kept_++];
    into.name.assign(name.data(), name.size());
    into.value.assign(value.data(), value.size());
}

void request_reader::on_response_impl(int, view, int, error_code&) {}

void request_reader::on_field_impl(http::field name, view name_text, view value, error_code& ec) {
    if (++header_count_ > header_count_max_) {
        ec = http::error::header_limit;
        return;
    }
    if (header_done_) {
        return;  // Trailers are counted but otherwise ignored: they may not decide anything.
    }
    keep(name_text, value);
    switch (name) {
        case http::field::host: ++hosts_; break;
        case http::field::authorization:
            take_once(storage_.request.authorization, has_authorization_, value, ec);
            break;
        case http::field::content_type: take_once(storage_.request.content_type, has_content_type_, value, ec); break;
        case http::field::transfer_encoding:
            if (!boost::beast::iequals(value, "chunked")) {
                ec = http::error::bad_transfer_encoding;
            }
            break;
        case http::field::expect: expects_continue_ = boost::beast::iequals(value, "100-continue"); break;
        default: break;
    }
}

void request_reader::on_header_impl(error_code& ec) {
    header_done_ = true;
    storage_.request.headers.resize(headers_kept_);
    if (version_ == 11 && hosts_ != 1) {
        ec = http::error::bad_field;
    }
}

void request_reader::on_body_init_impl(const boost::optional<std::uint64_t>& content_length, error_code&) {
    if (content_length) {
        storage_.body.reserve(static_cast<std::size_t>(std::min(*content_length, body_reserve_max)));
    }
}

std::size_t request_reader::on_body_impl(view part, error_code&) {
    storage_.body.append(part.data(), part.size());
    return part.size();
}

void request_reader::on_chunk_header_impl(std::uint64_t, view, error_code&) {}

std::size_t request_reader::on_chunk_body_impl(std::uint64_t, view part, error_code&) {
    storage_.body.append(part.data(), part.size());
    return part.size();
}

void request_reader::on_finish_impl(error_code&) {
    storage_.request.body = storage_.body;
}

}  // namespace vembed::service_front
