#pragma once
/// A network on which the service now and then responds wrongly: with one job id for two submissions, with 404 for a
/// job that it has just made, or with a page instead of the account. The same seed gives the same responses.

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

#include "support/given_body.hpp"

namespace vembed::testing {

class odd_rates {
public:
    double same_id = 0;             ///< A submission gets the id of an earlier submission's job.
    double early_404 = 0;           ///< GET of a job gives 404 for some seconds after the job was made.
    double unreadable_account = 0;  ///< The response to GET /account is not an account.

    odd_rates() = default;
};

class odd_responses final : public transport {
public:
    odd_responses(std::shared_ptr<environment> env, std::shared_ptr<transport> to, odd_rates rates, std::uint64_t seed)
        : env_(std::move(env)), to_(std::move(to)), rates_(rates), draw_(seed) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        if (request->target == "/account" && chance(rates_.unreadable_account)) {
            exchange_outcome outcome;
            answer(chance(0.5) ? 200 : 404, "<html>sign in</html>", sink, &outcome);
            co_return outcome;
        }
        if (is_unknown_yet(request->target)) {
            exchange_outcome outcome;
            answer(404, R"({"error":"not_found","message":"no such job"})", sink, &outcome);
            co_return outcome;
        }
        if (request->method != http_method::post || request->target != "/jobs") {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        kept_response whole;
        exchange_outcome outcome = co_await to_->exchange(request, &whole, deadline);
        if (outcome.head && whole.begun) {
            const bool accepted = !outcome.error && outcome.head->status == 201;
            const std::string body = accepted ? accepted_as(whole.body) : whole.body;
            const std::optional<vembed::error> error = outcome.error;
            give(body, sink, &outcome);
            outcome.error = error ? error : outcome.error;
        }
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }

    /// Replaces the connections for a new client. Only the ids that this client has received are given again: an id
    /// that a dead process received can be recognised again only by the receipt's inputs_root.
    void go_over(std::shared_ptr<transport> to) {
        to_ = std::move(to);
        ids_.clear();
    }

private:
    class kept_response final : public response_sink {
    public:
        result<void> begin(const response_head&) override {
            begun = true;
            return {};
        }
        std::span<std::byte> prepare(std::size_t at_most) override {
            room_.resize(at_most);
            return room_;
        }
        result<void> commit(std::size_t size) override {
            body.append(reinterpret_cast<const char*>(room_.data()), size);
            return {};
        }

        bool begun = false;
        std::string body;

    private:
        std::vector<std::byte> room_;
    };

    bool chance(double probability) { return std::bernoulli_distribution(probability)(draw_); }

    [[nodiscard]] bool is_unknown_yet(const std::string& target) const {
        for (const auto& [id, known_at] : known_at_) {
            if (env_->now() < known_at && target.find("/jobs/" + id) == 0) {
                return true;
            }
        }
        return false;
    }

    std::string accepted_as(const std::string& body) {
        boost::json::object job = boost::json::parse(body).as_object();
        const std::string id(job.at("id").as_string());
        if (!ids_.empty() && chance(rates_.same_id)) {
            job["id"] = ids_[draw_() % ids_.size()];
            return boost::json::serialize(job);
        }
        ids_.push_back(id);
        if (chance(rates_.early_404)) {
            known_at_[id] = deadline_after(env_->now(), std::chrono::seconds(1 + draw_() % 20));
        }
        return body;
    }

    static void answer(int status, const std::string& body, response_sink* sink, exchange_outcome* outcome) {
        outcome->bytes_written = 1000;
        outcome->request_written = true;
        outcome->head.emplace();
        outcome->head->status = status;
        give(body, sink, outcome);
    }

    std::shared_ptr<environment> env_;
    std::shared_ptr<transport> to_;
    odd_rates rates_;
    std::mt19937_64 draw_;
    std::vector<std::string> ids_;
    std::map<std::string, monotonic_time> known_at_;
};

}  // namespace vembed::testing
