#pragma once
/// What can be told of a line that is not JSON as a whole: only the fields that are asked for have to be right. Pure.

#include <string>
#include <string_view>

namespace vembed::corpus {

class salvaged_record {
public:
    bool whole = false;   ///< The line is an object whose members can be told apart.
    std::string asked;    ///< Then: the same object with null for the values of all other members, and
                          ///< "" for keys that spell no name.
    std::string_view id;  ///< The id's value as it is written; empty if there is none before what cannot be read.

    salvaged_record() = default;
};

/// Members end where their quotes and brackets do; inside them nothing is looked at. `id_field` may be empty.
salvaged_record salvage_record(std::string_view line, std::string_view text_field, std::string_view id_field);

}  // namespace vembed::corpus
