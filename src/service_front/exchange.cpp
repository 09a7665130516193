#include "service_front/exchange.hpp"

#include <algorithm>
#include <span>

#include <boost/beast/http/error.hpp>

namespace vembed::service_front {
namespace {

using error_code = boost::system::error_code;

// A smaller read buffer costs a system call for every few KB of a body; a larger one gains nothing.
constexpr std::size_t read_buffer_bytes = 65'536;
// A connection keeps a body's memory for its next request only up to this.
constexpr std::size_t body_kept_bytes = 1u << 20;

testing::service_response refusal(int status, std::string_view code, std::string_view message) {
    testing::service_response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.text = R"({"error":")" + std::string(code) + R"(","message":")" + std::string(message) + "\"}";
    return response;
}

testing::service_response refusal_for(const error_code& ec) {
    if (ec == http::error::body_limit) {
        return refusal(413, "request_too_large", "the request's body is too large");
    }
    if (ec == http::error::header_limit) {
        return refusal(431, "invalid_request", "the request's header is too large");
    }
    return refusal(400, "invalid_request", "the request is not well-formed HTTP/1.1");
}

}  // namespace

exchange_state::exchange_state(std::shared_ptr<shared_state> state)
    : state_(std::move(state)), buffer_(std::make_unique_for_overwrite<char[]>(read_buffer_bytes)) {}

exchange_state::~exchange_state() {
    state_->body_bytes -= counted_body_;
}

asio::mutable_buffer exchange_state::room() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (end_ == read_buffer_bytes) {
        std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
        end_ -= begin_;
        begin_ = 0;
    }
    return asio::buffer(buffer_.get() + end_, read_buffer_bytes - end_);
}

asio::mutable_buffer exchange_state::scratch() {
    return asio::buffer(buffer_.get(), read_buffer_bytes);
}

void exchange_state::ask() {
    const monotonic_time now = state_->env->now();
    response = state_->service->handle(arrival_->ordinal, storage_.request, now, state_->env->wall_now());
}

step exchange_state::refuse(testing::service_response with) {
    response = std::move(with);
    close_after = true;
    release_body();
    return step::refuse;
}

void exchange_state::begin_request() {
    reader_.emplace(storage_, state_->options.header_count_max);
    reader_->header_limit(state_->options.header_bytes_max);
    reader_->body_limit(state_->options.body_bytes_max);
    reader_->eager(true);
    arrival_.reset();
    consumed_ = 0;
    continued_ = false;
    close_after = false;
}

// The service draws the position of a cut from an estimate of the request's length, which is best after the header.
void exchange_state::note_arrival() {
    if (!arrival_) {
        std::uint64_t expected = consumed_ + (end_ - begin_);
        if (reader_->is_header_done()) {
            expected = consumed_ + reader_->content_length_remaining().value_or(0);
        }
        arrival_ = state_->service->arrive(expected);
    }
}

// Counts the body against the limit for all connections; false if that is exceeded.
bool exchange_state::count_body() {
    const std::uint64_t size = storage_.body.size();
    state_->body_bytes += size - counted_body_;
    counted_body_ = size;
    return state_->body_bytes <= state_->options.bodies_bytes_max;
}

step exchange_state::advance() {
    if (!reader_) {
        if (begin_ == end_) {
            return step::read;
        }
        begin_request();
    }
    while (begin_ != end_ && !reader_->is_done()) {
        error_code ec;
        const std::size_t used = reader_->put(asio::const_buffer(buffer_.get() + begin_, end_ - begin_), ec);
        begin_ += used;
        consumed_ += used;
        if (ec && ec != http::error::need_more) {
            return refuse(refusal_for(ec));
        }
        if (ec || used == 0) {
            break;
        }
    }
    note_arrival();
    const bool done = reader_->is_done();
    const std::uint64_t arrived = consumed_ + (done ? 0 : end_ - begin_);
    if (arrival_->cut_request_after && (done || arrived >= *arrival_->cut_request_after)) {
        return step::cut;
    }
    if (!count_body()) {
        return refuse(refusal(503, "service_busy", "too many large requests at once"));
    }
    if (done) {
        close_after = !reader_->keep_alive() || state_->stopping;
        return step::answer;
    }
    if (begin_ == 0 && end_ == read_buffer_bytes) {  // The request has one endless line, such as a chunk's extensions.
        return refuse(refusal_for(http::error::header_limit));
    }
    if (reader_->is_header_done() && reader_->expects_continue() && !continued_) {
        continued_ = true;
        return storage_.body.empty() ? step::send_continue : step::read;
    }
    return step::read;
}

void exchange_state::limit_part(std::uint64_t size) {
    sent_ = 0;
    to_send_ = size;
    if (response.cut_after) {
        to_send_ = std::min(to_send_, *response.cut_after - std::min(*response.cut_after, sent_before_));
    }
}

void exchange_state::compose() {
    const bool head_only = storage_.request.method == "HEAD";  // Such a response has no body, whatever its head says.
    framing_ = framing::length;
    if (response.rest && !response.length) {
        const bool has_no_chunks = reader_ && reader_->is_http_10();
        framing_ = has_no_chunks ? framing::close : framing::chunked;
        close_after = close_after || has_no_chunks;
    }
    body_ends_ = response.rest && !head_only ? ending::open : ending::done;
    next_piece_at_ = monotonic_time{};
    sent_before_ = 0;
    write_response_head(head_, response, framing_, close_after);
    if (body_ends_ == ending::open) {
        const std::span<const std::byte> begun = response.body();
        compose_part(std::string_view(reinterpret_cast<const char*>(begun.data()), begun.size()), false);
    }
    limit_part(head_.size() + (head_only || response.rest ? 0 : response.body().size()));
}

// Appends a part of a body that goes on.
void exchange_state::compose_part(std::string_view body_bytes, bool last) {
    if (framing_ != framing::chunked) {
        head_ += body_bytes;
        return;
    }
    append_chunk(head_, body_bytes);
    if (last) {
        head_ += last_chunk;
    }
}

bool exchange_state::goes_on() const noexcept {
    return body_ends_ == ending::open && (!response.cut_after || sent_before_ + to_send_ < *response.cut_after);
}

void exchange_state::compose_piece() {
    const testing::body_piece piece = response.rest->next(state_->env->now(), state_->env->wall_now());
    sent_before_ += to_send_;
    next_piece_at_ = piece.next_at;
    using then = testing::body_piece::then;
    body_ends_ = piece.after == then::more ? ending::open : piece.after == then::cut ? ending::cut : ending::done;
    head_.clear();
    compose_part(piece.bytes, body_ends_ == ending::done);
    limit_part(head_.size());
}

std::array<asio::const_buffer, 2> exchange_state::unwritten() const {
    const std::span<const std::byte> body = response.rest ? std::span<const std::byte>() : response.body();
    const std::uint64_t head_end = std::min<std::uint64_t>(head_.size(), to_send_);
    const std::uint64_t head_begin = std::min(sent_, head_end);
    const std::uint64_t body_begin = sent_ - head_begin;
    return {asio::const_buffer(head_.data() + head_begin, head_end - head_begin),
            asio::const_buffer(body.data() + body_begin, to_send_ - head_end - body_begin)};
}

void exchange_state::next() {
    reader_.reset();
    response.output_owner.reset();
    response.output = {};
    response.rest.reset();
    release_body();
}

void exchange_state::release_body() {
    state_->body_bytes -= counted_body_;
    counted_body_ = 0;
    storage_.request.body = {};
    if (storage_.body.capacity() > body_kept_bytes) {
        storage_.body = std::string();
    }
}

}  // namespace vembed::service_front
