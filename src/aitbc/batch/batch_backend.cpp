#include "aitbc/batch/batch_backend.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/serialize.hpp>

#include <vembed/aitbc/batch.hpp>

#include "aitbc/wire/assumptions.hpp"
#include "aitbc/wire/codec.hpp"
#include "aitbc/wire/job_request.hpp"
#include "text/iso_time.hpp"

namespace vembed::aitbc {
namespace {

using job_batch::job_end;

// The longest time between the journal's entry and the end of the request's exchange.
constexpr std::chrono::seconds exchange_max{120};

void note_time(boost::json::object& into, std::string_view name, const std::optional<wall_time>& at) {
    if (at) {
        into[name] = text::format_iso_time(*at);
    }
}

boost::json::object about(const job& of) {
    boost::json::object made;
    made["state"] = of.state_text;
    note_time(made, "created_at", of.created_at);
    note_time(made, "started_at", of.started_at);
    note_time(made, "completed_at", of.completed_at);
    const boost::json::object* raw = of.raw.if_object();
    for (const std::string_view name : {"cost", "estimated_cost", "payment_status"}) {
        const boost::json::value* found = raw == nullptr ? nullptr : raw->if_contains(name);
        if (found != nullptr) {
            made[name] = *found;
        }
    }
    return made;
}

job_end failed_end(const job& of, const std::string& why) {
    job_end made;
    made.failed = true;
    made.about = about(of);
    made.about["error"] = why;
    return made;
}

std::string extension_of(std::string_view content_type) {
    const std::string_view type = content_type.substr(0, content_type.find(';'));
    return type == "application/zip" ? ".zip" : type.starts_with("text/") ? ".txt" : ".bin";
}

// Kinds after which the job itself is known to have no product that can be kept.
bool is_about_the_job(errc kind) noexcept {
    return kind == errc::job_failed || kind == errc::not_found || kind == errc::response_too_large ||
           kind == errc::protocol;
}

}  // namespace

result<void> batch_backend::check(std::string_view line) const {
    const result<job_request> read = read_request(line);
    return read ? aitbc::check(*read, core_->api->asked_in()) : result<void>(read.error());
}

asio::awaitable<result<std::string>> batch_backend::submit(std::string line, admission::applicant who) {
    result<job_request> read = read_request(line);
    if (!read) {
        co_return read.error();
    }
    std::shared_ptr<const job_request> request = std::make_shared<job_request>(std::move(*read));
    result<submitted_job> made = co_await core_->submissions->submit(std::move(request), std::move(who), no_deadline);
    if (!made) {
        co_return made.error();
    }
    co_return std::move(made->job.id);
}

asio::awaitable<result<std::string>> batch_backend::find_lost(std::string line, wall_time sent_at) {
    const result<job_request> read = read_request(line);
    if (!read) {
        co_return read.error();
    }
    lost_submit lost = core_->submissions->shown_as(*read);
    lost.sent_at = sent_at;
    lost.lost_at = std::min(core_->env->wall_now(), sent_at + exchange_max);
    result<submitted_job> found = co_await core_->submissions->find_lost(std::move(lost), no_deadline);
    if (!found) {
        co_return found.error();
    }
    co_return std::move(found->job.id);
}

asio::awaitable<result<void>> batch_backend::wait(std::string id) {
    const result<job> ended = co_await core_->waiting->wait(id, job_progress(), no_deadline);
    const errc kind = ended ? errc::job_failed : ended.error().kind;
    const bool is_known =
        kind == errc::job_failed || kind == errc::job_cancelled || kind == errc::job_expired || kind == errc::not_found;
    co_return is_known ? result<void>() : result<void>(ended.error());
}

asio::awaitable<result<job_end>> batch_backend::fetch(std::string id, std::string /*files*/, std::string /*name*/) {
    const result<job> seen = co_await core_->api->get_job(id, no_deadline);
    if (!seen && seen.error().kind != errc::not_found) {
        co_return seen.error();
    }
    if (!seen) {
        job unknown;
        unknown.state_text = "unknown";
        co_return failed_end(unknown, seen.error().message);
    }
    // A late result may have turned an expired job into a completed one; what is there now counts.
    if (seen->state != job_state::completed) {
        co_return failed_end(*seen, is_terminal(seen->state) ? outcome_error(*seen).message : "the job is not final");
    }
    result<job_product> product = co_await core_->api->get_product_of(*seen, no_deadline);
    if (!product && !is_about_the_job(product.error().kind)) {
        co_return product.error();
    }
    if (!product) {
        co_return failed_end(*seen, product.error().message);
    }
    job_end made;
    made.about = about(*seen);
    if (product->value) {
        made.files.emplace_back(".json", boost::json::serialize(*product->value) + "\n");
    } else if (product->bytes) {
        made.files.emplace_back(extension_of(product->content_type), std::move(*product->bytes));
    } else if (!product->place.empty()) {
        made.about["place"] = product->place;
    }
    co_return made;
}

}  // namespace vembed::aitbc
