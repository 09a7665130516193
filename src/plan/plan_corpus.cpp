#include <vembed/plan/plan_corpus.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/use_future.hpp>

#include <vembed/runtime/environment.hpp>

#include "client/account/catalog.hpp"
#include "client/account/chunk_sizes.hpp"
#include "client/client_core.hpp"
#include "client/core_access.hpp"
#include "core/thrown.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/survey.hpp"
#include "folder/corpus_of_run.hpp"
#include "folder/other_folders.hpp"
#include "operation/durations.hpp"
#include "operation/launch.hpp"
#include "plan/corpus_plan.hpp"
#include "plan/known_use.hpp"
#include "runtime/blocking_work.hpp"

namespace vembed {
namespace {

/// A plan on its way. Its functions block; they are called one after the other.
class planning {
public:
    planning(plan_corpus_options options, std::string service, std::shared_ptr<environment> env)
        : options_(std::move(options)), service_(std::move(service)), env_(std::move(env)) {
        made.now = env_->wall_now();
    }

    /// Looks at the inputs and at the folder's run.
    result<void> begin();

    /// Reads the corpus.
    result<void> count();

    [[nodiscard]] const std::string& model() const noexcept { return options_.model; }

    corpus_plan made;

private:
    plan_corpus_options options_;
    std::string service_;  ///< Empty: no service is asked.
    std::shared_ptr<environment> env_;
    std::uint32_t rules_ = corpus::latest_reading_rules;
    plan::begun_run begun_;
};

result<void> planning::begin() {
    if (auto apart = folder::check_folders(options_.cache_folder, options_.folder); !apart) {
        return apart;
    }
    rules_ = folder::rules_for(options_.folder, options_.inputs, options_.format);
    if (auto looked = corpus::look_at_inputs(options_.inputs, options_.format, rules_, options_.reading); !looked) {
        return looked;
    }
    auto begun = plan::read_begun(options_.folder, options_.inputs, options_.format, rules_);
    if (!begun) {
        return begun.error();
    }
    begun_ = std::move(*begun);
    made.note = begun_.note;
    return {};
}

result<void> planning::count() {
    detail::chunk_size remembered;
    if (!service_.empty() && !options_.quota_folder.empty()) {
        remembered =
            detail::remembered_chunk_size(detail::chunk_sizes_path(options_.quota_folder),
                                          detail::chunk_size_key(service_, options_.model, options_.spec_yaml));
        if (made.account) {
            made.chunks_today =
                plan::chunks_known_today(options_.quota_folder, service_, *made.account, env_).value_or(0);
        }
    }
    if (begun_.dimensions > 0) {
        made.dimensions = begun_.dimensions;
    }
    if (auto counted = plan::count_corpus(options_, rules_, begun_, service_, remembered, made); !counted) {
        return counted;
    }
    if (options_.reading.on_survey) {
        options_.reading.on_survey(made.seen);
    }
    return {};
}

// A plan can do without the catalog, but not with a model that is not in the catalog.
asio::awaitable<void> ask_service(std::shared_ptr<detail::client_core> core, std::shared_ptr<planning> of,
                                  monotonic_time deadline) {
    corpus_plan& made = of->made;
    result<account_info> account = co_await core->api->get_account(deadline);
    if (!account) {
        made.trouble = account.error();
        co_return;
    }
    made.account = std::move(*account);
    if (of->model().empty()) {
        co_return;
    }
    const result<std::vector<model_info>> catalog = co_await core->api->get_models(deadline);
    if (catalog) {
        detail::catalog_entry entry = detail::look_up(*catalog, of->model());
        made.dimensions = entry.dimensions;
        made.trouble = std::move(entry.missing);
    }
}

// Runs on the client's executor. The time limit is for the service: reading takes as long as the corpus is.
asio::awaitable<result<corpus_plan>> make_plan(std::shared_ptr<detail::client_core> core,
                                               std::shared_ptr<plan_corpus_options> options,
                                               monotonic_clock::duration timeout) {
    const std::shared_ptr<environment> env = core->env;
    const auto of = std::make_shared<planning>(std::move(*options), core->base_url, env);
    std::function<result<void>()> beginning = [of] { return of->begin(); };
    const result<void> begun = co_await runtime::on_reader(env, std::move(beginning));
    if (!begun) {
        co_return begun.error();
    }
    co_await ask_service(core, of, deadline_after(env->now(), timeout));
    std::function<result<void>()> counting = [of] { return of->count(); };
    const result<void> counted = co_await runtime::on_reader(env, std::move(counting));
    if (!counted) {
        co_return counted.error();
    }
    const bool ends = co_await runtime::is_cancelled();
    if (ends) {
        co_return corpus::reading_cancelled();
    }
    co_return std::move(of->made);
}

operation<corpus_plan> describe(std::shared_ptr<detail::client_core> core, plan_corpus_options options,
                                call_options call) {
    const monotonic_clock::duration timeout = detail::saturated(detail::within(detail::call_timeout, call).timeout);
    const auto kept = std::make_shared<plan_corpus_options>(std::move(options));
    auto body = [kept, timeout](std::shared_ptr<detail::client_core> on, monotonic_time) {
        return make_plan(std::move(on), kept, timeout);
    };
    call.timeout = detail::no_timeout;
    return detail::describe(std::move(core), std::move(call), std::move(body));
}

}  // namespace

operation<corpus_plan> plan_corpus(client& with, plan_corpus_options options, call_options call) {
    return describe(detail::core_access::of(with), std::move(options), std::move(call));
}

result<corpus_plan> plan_corpus(blocking_client& with, plan_corpus_options options, call_options call) {
    return describe(detail::core_access::of(with), std::move(options), std::move(call)).start(asio::use_future).get();
}

result<corpus_plan> plan_corpus(plan_corpus_options options) {
    try {
        planning of(std::move(options), {}, make_system_environment());
        auto so_far = of.begin();
        so_far = so_far ? of.count() : so_far;
        return so_far ? result<corpus_plan>(std::move(of.made)) : so_far.error();
    } catch (...) {
        return thrown_failure("a callback of the reading");
    }
}

}  // namespace vembed
