#pragma once
/// What `vembed verify` prints: a page for people, or typed objects.

#include <string>

#include "audit/check_tally.hpp"
#include "audit/folder_verification.hpp"
#include "cli/options/exit_code.hpp"
#include "cli/terminal/console.hpp"

namespace vembed::cli {

/// What the page says besides the report.
class page_context {
public:
    std::string folder;
    std::string pins_from;  ///< The file that the known pins were read from.
    std::string service;    ///< The service that was asked; empty if none was.
    bool unfinished = false;

    page_context() = default;
};

/// Prints all of it; the last line is always origin_line.
void print_verification(console& out, const page_context& about, const audit::folder_report& report,
                        const audit::overall_judgement& judgement, exit_code code);

}  // namespace vembed::cli
