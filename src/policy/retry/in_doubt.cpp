#include "policy/retry/in_doubt.hpp"

namespace vembed::policy {

error in_doubt_error(std::string_view why, std::string_view reason, std::span<const std::string> jobs) {
    error made(errc::outcome_unknown, std::string(why) + "; " + std::string(reason));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        made.message += (i == 0 ? ": " : ", ") + jobs[i];
    }
    made.message += ". It was not sent again";
    made.job_id = jobs.size() == 1 ? jobs.front() : std::string();
    return made;
}

}  // namespace vembed::policy
