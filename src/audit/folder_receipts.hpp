#pragma once
/// Checks the jobs of an output folder against their receipts and their rows, with no network: verify_receipt_offline
/// runs on each line of receipts.jsonl.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/audit/check_tally.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>

#include "audit/folder_chunks.hpp"
#include "audit/folder_evidence.hpp"
#include "audit/folder_rows.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// The caller goes over the jobs twice: it calls learn() for each of them, then judge() for each. No row of a job is
/// read if other jobs claim its rows too (`own` is false).
class folder_receipts {
public:
    /// `texts` is texts.sha256, or null if the folder has none. `known` is what other sources say about the account.
    folder_receipts(folder_rows& rows, folder::digest_records* texts, run_facts_recorded facts, account_pins known,
                    std::stop_token stop);

    result<void> learn(const folder::proven_job& job, bool own);
    result<void> judge(const folder::proven_job& job, bool own);

    /// The schemes of the account's receipts: the known ones, narrowed by this folder's receipts.
    [[nodiscard]] const account_pins& learned() const noexcept { return pins_; }

    std::vector<check_tally> checks;  ///< One check for each of offline_check_names, in that order.
    check_tally service{"service_check", "specified", "jobs",
                        "the service itself called the receipt valid when the run asked it"};
    check_tally outputs{"job_outputs", "recorded", "jobs", "each job's rows have the SHA-256 noted when they came"};
    std::uint64_t job_count = 0;
    std::uint64_t chunk_count = 0;
    std::uint64_t chunks_reexecuted = 0;
    bool keep_receipts = false;
    std::vector<receipt> receipts;  ///< The judged jobs' receipts without their JSON, if keep_receipts is set.

private:
    [[nodiscard]] result<offline_evidence> gather(const folder::proven_job& job, bool with_inputs);
    void add_output(const folder::proven_job& job, const std::vector<chunk_reading>& readings,
                    offline_evidence& evidence);
    [[nodiscard]] bool is_committed(const expected_chunk& chunk, const digest& bytes) const;
    void tally(const folder::proven_job& job, const offline_evidence& evidence, offline_check check, bool own);
    [[nodiscard]] result<std::vector<chunk_reading>> read_rows(const folder::proven_job& job,
                                                               const std::vector<expected_chunk>& listed, bool tiled);
    void tally_commitments(const folder::proven_job& job, const offline_check& check,
                           const std::vector<expected_chunk>& chunks, const std::vector<chunk_reading>& readings,
                           bool own);
    void report_rows(const folder::proven_job& job, const std::vector<expected_chunk>& chunks, bool committed,
                     const std::vector<chunk_reading>& readings);
    void check_service_word(const folder::proven_job& job);
    [[nodiscard]] result<void> check_output(const folder::proven_job& job);
    [[nodiscard]] offline_check on_own_ground(offline_check check) const;
    [[nodiscard]] check_tally& named(std::string_view name);

    folder_rows* rows_;
    folder::digest_records* texts_;
    run_facts_recorded facts_;
    account_pins known_;
    account_pins pins_;
    std::stop_token stop_;
};

}  // namespace vembed::audit
