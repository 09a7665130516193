#pragma once
/// The whole state of the service, and its endpoints. service.cpp authenticates requests and applies faults; the
/// endpoint files answer.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <vembed/testing/service.hpp>

#include "service/account/account.hpp"
#include "service/endpoints/refusal.hpp"
#include "service/endpoints/router.hpp"
#include "service/faults/fault_plan.hpp"
#include "service/faults/proof_faults.hpp"
#include "service/jobs/job_store.hpp"
#include "service/jobs/outputs.hpp"
#include "service/jobs/receipts.hpp"

namespace vembed::service {

/// A request while it is processed.
class asked {
public:
    std::uint64_t ordinal = 0;
    const testing::service_request* request = nullptr;
    const route* where = nullptr;
    account* who = nullptr;  ///< Null only for GET /health.
    monotonic_time now{};
    wall_time wall{};

    asked() = default;
};

/// A request whose front was told to ask again later.
class held_request {
public:
    monotonic_time until{};
    std::string job_id;                                 ///< The job that a POST /verify request made.
    std::optional<testing::service_response> response;  ///< The response, if it is ready but delayed.

    held_request() = default;
};

}  // namespace vembed::service

namespace vembed::testing {

class service::impl {
public:
    explicit impl(service_options options);

    std::string add_account();
    service_arrival arrive(std::uint64_t expected_size);
    service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now, wall_time wall);
    [[nodiscard]] const std::string& first_key() const noexcept { return first_key_; }
    [[nodiscard]] service_counters counters() const;
    [[nodiscard]] std::uint64_t unsettled_jobs(monotonic_time now) { return accounts_.front()->unsettled_jobs(now); }
    void set_max_inflight(std::uint32_t jobs);

private:
    using asked = vembed::service::asked;
    using account = vembed::service::account;
    using job_record = vembed::service::job_record;
    using job_body = vembed::service::job_body;
    template <class T>
    using answer = vembed::service::answer<T>;

    // service.cpp
    service_response serve(std::uint64_t ordinal, const service_request& request, monotonic_time now, wall_time wall);
    service_response dispatch(const asked& call);
    service_response finish(std::uint64_t ordinal, service_response response, monotonic_time now, wall_time wall);
    account* authenticate(std::string_view authorization, wall_time wall);
    vembed::service::held_request& hold(std::uint64_t ordinal, monotonic_time until);
    [[nodiscard]] vembed::service::held_request* held(std::uint64_t ordinal);
    std::string new_key(const account& to, std::uint64_t number, const std::string& label) const;
    std::string add_key(account& to, std::string label, wall_time wall, std::optional<std::string> given);

    // job_endpoints.cpp
    answer<job_record*> submit(const asked& call, bool to_verify);
    answer<job_record*> find_job(const asked& call);
    service_response submit_job(const asked& call);
    service_response show_job(const asked& call);
    service_response wait_job(const asked& call);
    service_response show_results(const asked& call);
    std::vector<vembed::service::listed_chunk> chunks_of(job_record& job, monotonic_time now);
    std::string results_text(job_record& job, monotonic_time now);
    service_response show_output(const asked& call);
    service_response job_response(job_record& job, int status, monotonic_time now);

    // receipt_endpoints.cpp
    answer<job_record*> find_receipt(const asked& call);
    answer<std::string> receipt_of(job_record& job);
    answer<std::string> shown_receipt_of(job_record& job);
    service_response show_receipt(const asked& call);
    service_response verify_receipt(const asked& call);
    service_response verify_outputs(const asked& call);
    service_response finish_verify(job_record& job);

    // account_endpoints.cpp
    service_response show_health() const;
    service_response show_models() const;
    service_response show_account(const asked& call);
    service_response rotate_key(const asked& call);
    service_response revoke_key(const asked& call);

    struct key_place {
        account* of;
        std::size_t index;
    };

    service_options options_;
    vembed::service::issuer issuer_;
    vembed::service::fault_plan faults_;
    bool any_faults_;
    std::vector<std::unique_ptr<account>> accounts_;
    std::unordered_map<std::string, key_place> keys_;
    std::string first_key_;
    std::uint64_t keys_made_ = 0;
    std::string bearer_;  // A buffer for the key being looked up.
    std::map<std::uint64_t, vembed::service::held_request> held_;
    vembed::service::job_store jobs_;
    vembed::service::output_maker outputs_;
    std::uint64_t next_ordinal_ = 1;
    std::uint64_t next_job_ = 1;
    service_counters counters_;
};

}  // namespace vembed::testing
