#pragma once
/// What can be read of a line that is not JSON as a whole: only the fields that are asked for have to be right. Pure.

#include <string>
#include <string_view>

namespace vembed::corpus {

class salvaged_record {
public:
    bool whole = false;   ///< The line is an object whose members can be told apart.
    std::string asked;    ///< If whole: the object with null for the values of all other members, and
                          ///< "" for keys that do not decode.
    std::string_view id;  ///< The id's value as it is written; empty if none comes before an error.

    salvaged_record() = default;
};

/// Finds members by their quotes and brackets only and does not check what is inside. `id_field` may be empty.
salvaged_record salvage_record(std::string_view line, std::string_view text_field, std::string_view id_field);

}  // namespace vembed::corpus
