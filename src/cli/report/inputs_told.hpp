#pragma once
/// Says, before anything is sent, how each file of a corpus is read.

#include <cstddef>
#include <string>
#include <vector>

#include <vembed/core/error.hpp>
#include <vembed/corpus/reading.hpp>

#include "cli/options/command_line.hpp"
#include "cli_parts/console.hpp"

namespace vembed::cli {

class inputs_teller {
public:
    /// `files` are the inputs that were asked for, with a copy in the place of standard input.
    inputs_teller(console& out, const corpus_arguments& asked, const std::vector<std::string>& files);

    /// Prints a file's format, its fields and its first text: a line, or an object of type "input" with --json.
    void tell(const corpus_input& seen);

    /// An error of reading the files. Before each of them was told, it names standard input as the user knows it.
    [[nodiscard]] error as_known(error why) const;

private:
    console* out_;
    file_source_options format_;
    std::size_t files_;
    std::size_t told_ = 0;
    std::string copy_;  ///< The copy of standard input; empty if it is no input.
};

}  // namespace vembed::cli
