#pragma once
/// The arguments of `vembed aitbc`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/time.hpp>

namespace vembed::cli {

class aitbc_arguments {
public:
    enum class verb : std::uint8_t { submit, status, list, wait, cancel, download, history };
    verb what = verb::status;
    std::vector<std::string> ids;  ///< One, of `wait` one or more.
    std::string file;              ///< The file for a job's product; empty if it is standard output.
    std::uint32_t timeout_s = 0;   ///< The time that `wait` may take; 0 if there is no limit.

    aitbc::job_request request;  ///< For `submit`. If input_file is set, its input is there.
    std::string input_file;      ///< "-" is standard input.
    bool wait = false;           ///< `submit` waits for the job and writes its product.

    std::string state;  ///< For `list`; empty: any.
    std::uint64_t jobs_max = 100;
    std::optional<wall_time> from;  ///< For `history`.
    std::optional<wall_time> to;    ///< The same.

    // The fields from here on say how the service is asked.
    aitbc::dialect dialect = aitbc::dialect::docs;
    bool bearer = false;
    std::string tenant;
    std::uint64_t calls_per_minute = 60;  ///< 0: no limit.
    std::uint64_t calls_per_hour = 1000;  ///< 0: no limit.
    std::string quota_folder;             ///< Empty if the usual one is used.
    bool share_quota = true;

    aitbc_arguments() = default;
};

}  // namespace vembed::cli
