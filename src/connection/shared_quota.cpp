#include "connection/shared_quota.hpp"

#include <functional>
#include <stop_token>
#include <utility>

#include <vembed/verify/sha256.hpp>

#include "admission/shared_ledger.hpp"
#include "runtime/blocking_until.hpp"

namespace vembed::detail {

std::string quota_place(const std::string& quota_folder, const std::string& base_url, const std::string& account) {
    return quota_folder + "/quota/" + to_hex(sha256_of(base_url + "\n" + account));
}

error not_waited_for(wait_outcome outcome, const std::string& what) {
    return outcome == wait_outcome::cancelled ? error(errc::cancelled, "cancelled while " + what)
                                              : error(errc::timeout, "the deadline passed while " + what);
}

asio::awaitable<result<void>> share_quota(std::shared_ptr<admission::gate> gate, std::shared_ptr<environment> env,
                                          std::string path, monotonic_time deadline) {
    const auto opened = std::make_shared<result<std::shared_ptr<admission::shared_ledger>>>(error());
    std::function<void(const std::stop_token&)> open = [opened, path, owner = gate->owner(),
                                                        env](const std::stop_token& stop) {
        *opened = admission::shared_ledger::open(path, admission::machine_clock_name(), owner, env, stop);
    };
    const wait_outcome outcome = co_await runtime::blocking_until(env, std::move(open), deadline);
    if (outcome != wait_outcome::woken) {
        co_return not_waited_for(outcome, "the shared quota file was opened");
    }
    if (*opened) {
        gate->move_ledger(std::move(**opened));
    } else {
        env->log(log_level::warning, "shared_quota_unavailable", {log_field("reason", opened->error().message)});
    }
    co_return result<void>();
}

}  // namespace vembed::detail
