#pragma once
/// @file
/// Checks the parameters of a run against what the workflow says of them, before anything is sent (wire contract,
/// section 2, `parameters[]`).

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <vembed/core/result.hpp>
#include <vembed/cyberun/types.hpp>

namespace vembed::cyberun {

/// The parameters as a run sends them: under each parameter's `key`, also those that were given under its `source_key`.
///
/// invalid_argument names every fault at once: a key that the workflow does not have (with the key that may be meant),
/// a parameter given twice, a required one that is missing or null and has no default, a value of another JSON type, a
/// number that is not between min and max (both inclusive), a value that is no option. The value of a file parameter is
/// the `file_key` of an upload. A parameter of a type that is not known takes any value. If the workflow came without
/// its list of parameters, everything is taken as it is.
///
/// @code
/// boost::json::object given;
/// given["scale"] = 2;
/// auto checked = vembed::cyberun::check_parameters(workflow, given);
/// if (!checked) { std::cerr << checked.error().message << '\n'; }
/// @endcode
result<boost::json::object> check_parameters(const workflow& of, const boost::json::object& given);

/// The JSON value of a text such as the `value` of `-p key=value`, by the type that the workflow gives its parameter
/// `key` (or its `source_key`): the text itself for string and file; a number; true or false, whatever their case; the
/// option whose text it is. For a type that is not known, and for a workflow without a list of parameters, it is the
/// JSON value that the text holds, else the text.
///
/// invalid_argument if the workflow has no such parameter, or if the text is no value of its type. Limits are checked
/// by check_parameters().
result<boost::json::value> typed_parameter(const workflow& of, std::string_view key, std::string_view text);

/// A parameter as a text, such as `-p key=value` gives it.
class parameter_text {
public:
    std::string key;
    std::string text;

    parameter_text() = default;
    parameter_text(std::string name, std::string value) : key(std::move(name)), text(std::move(value)) {}
};

/// The parameters of a run that are given as texts, each read as typed_parameter() does, and as values, checked
/// together as check_parameters() does. invalid_argument names every fault of either at once.
result<boost::json::object> typed_parameters(const workflow& of, const std::vector<parameter_text>& texts,
                                             const boost::json::object& given = {});

/// The parameter that a name means: its key goes before another one's source_key. Null if there is none.
const workflow_parameter* find_parameter(const workflow& of, std::string_view name);

}  // namespace vembed::cyberun
