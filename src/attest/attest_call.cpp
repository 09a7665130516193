#include "attest/attest_call.hpp"

#include <vembed/verify/sha256.hpp>

#include "attest/attest_outcomes.hpp"
#include "client/client_core.hpp"
#include "core/thrown.hpp"
#include "operation/durations.hpp"
#include "operation/launch.hpp"
#include "policy/packing/spec_chunk_size.hpp"

namespace vembed::attest {
namespace {

// The options of a call that a stop cancels.
call_options stopped_by(std::stop_token stop) {
    call_options options;
    options.stop = std::move(stop);
    return detail::within(detail::call_timeout, std::move(options));
}

}  // namespace

attest_call::attest_call(std::shared_ptr<detail::client_core> on, attest_options told)
    : core(std::move(on)), options(std::move(told)), spec_chunk_size(policy::chunk_size_of_spec(options.spec_yaml)) {
    options.progress_interval = detail::bounded(options.progress_interval);
}

job_request attest_call::request_for(std::vector<std::string> texts) const {
    return options.spec_yaml.empty() ? job_request::for_model(options.model, std::move(texts))
                                     : job_request::for_spec(options.spec_yaml, std::move(texts));
}

asio::awaitable<result<account_info>> attest_call::read_account() {
    operation<account_info> reading =
        detail::call<operation>(core, stopped_by(options.stop), &cyberian::endpoints::get_account);
    result<account_info> account = co_await std::move(reading);
    if (!account) {
        co_return account;
    }
    const result<void> learned = co_await core->learn_limits(no_deadline);
    if (!learned) {
        co_return learned.error();
    }
    co_return account;
}

asio::awaitable<result<void>> attest_call::check_width(std::uint64_t dimensions) {
    if (options.model.empty()) {
        co_return result<void>();
    }
    operation<std::vector<model_info>> reading =
        detail::call<operation>(core, stopped_by(options.stop), &cyberian::endpoints::get_models);
    const result<std::vector<model_info>> models = co_await std::move(reading);
    if (!models) {
        co_return models.error();
    }
    for (const model_info& model : *models) {
        if (model.id == options.model && model.output_dimensions != 0 && model.output_dimensions != dimensions) {
            co_return error(errc::invalid_argument, options.npy_file + " has rows of " + std::to_string(dimensions) +
                                                        " numbers, model " + model.id + " gives " +
                                                        std::to_string(model.output_dimensions) +
                                                        ": no claim could be right");
        }
    }
    co_return result<void>();
}

asio::awaitable<result<attest_record_file>> attest_call::open_file(claim_history* history) {
    attest_identity identity;
    identity.service = core->base_url;
    identity.model = options.model;
    identity.spec_sha256 = options.spec_yaml.empty() ? std::string() : to_hex(sha256_of(options.spec_yaml));
    std::function<result<attest_record_file>()> opening = [this, &identity, history] {
        return attest_record_file::open(options.output_file, identity, *history);
    };
    co_return co_await on_worker(core->env, std::move(opening));
}

asio::awaitable<result<void>> attest_call::keep(attest_record_file* file, std::uint64_t number,
                                                const claim_record* record) {
    count(report, *record, false);
    std::function<result<void>()> finishing = [file, number, record] { return file->finish(number, *record); };
    const result<void> kept = co_await on_worker(core->env, std::move(finishing));
    if (kept) {
        tell(options.on_claim, *record);
    }
    co_return kept;
}

asio::awaitable<result<void>> attest_call::withdraw(attest_record_file* file, std::uint64_t number) {
    std::function<result<void>()> withdrawing = [file, number] { return file->withdraw(number); };
    co_return co_await on_worker(core->env, std::move(withdrawing));
}

void attest_call::tell_progress() {
    const monotonic_time now = core->env->now();
    if (!told_at_ || now - *told_at_ >= options.progress_interval) {
        told_at_ = now;
        tell(options.on_progress, report);
    }
}

void attest_call::end(error why) {
    if (!report.ended_by) {
        report.ended_by = std::move(why);
    }
}

// A callback that throws ends the call in order, so that no response is lost.
template <class Callback, class Value>
void attest_call::tell(const Callback& callback, const Value& value) {
    try {
        if (callback) {
            callback(value);
        }
    } catch (...) {
        end(thrown_failure("a callback of attest_corpus()"));
    }
}

}  // namespace vembed::attest
