#pragma once
/// Finds out what became of a submission whose response was lost (wire contract, section 3: POST has no idempotency
/// key). Only exactly one job that fits decides; everything else stays in doubt, and the jobs in question are named.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/time.hpp>

namespace vembed::aitbc {

/// A submission whose response was lost.
class lost_submit {
public:
    wall_time sent_at{};  ///< When the request began to be sent.
    wall_time lost_at{};  ///< When its response was given up.
    std::string model;    ///< Empty: not compared.
    /// What the service would show as the job's payload (payload_of()); empty: not compared.
    std::optional<boost::json::object> payload;

    lost_submit() = default;
};

/// What is known when it is looked for.
class submit_evidence {
public:
    std::vector<job> jobs;            ///< Of the newest pages, in their order.
    bool more = false;                ///< The last page read said that there are more.
    std::set<std::string> known;      ///< Jobs whose submission was answered or decided.
    std::set<std::string> asked;      ///< Jobs that were asked for by themselves: their times will not be told.
    std::vector<lost_submit> others;  ///< Further submissions in doubt, which may have made the same job.

    submit_evidence() = default;
};

class submit_verdict {
public:
    enum class kind : std::uint8_t {
        found,      ///< Exactly one job fits: `ids` has it.
        in_doubt,   ///< None fits, or several do: `ids` has those.
        ask_jobs,   ///< The time of `ids` is not known: GET each, put its times into the evidence, and ask again.
        next_page,  ///< The list does not reach back to the submission: read on.
    };
    kind what = kind::in_doubt;
    std::vector<std::string> ids;  ///< At most 20.
    std::string reason;            ///< A sentence for people.

    submit_verdict() = default;
};

submit_verdict reconcile_submit(const lost_submit& lost, const submit_evidence& seen);

/// A job of a list with what a GET of the job itself told in addition.
job with_details(const job& listed, const job& full);

}  // namespace vembed::aitbc
