#pragma once
/// The parts from which the options of every service's commands are put together. Only the sources that add commands
/// use them.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include "cli_parts/access.hpp"

namespace vembed::cli {

/// The word for an enumerator's name: with - for _.
std::string word_of(const char* name);

/// Adds an option that takes one of `words`, and gives it to `take`. `word` is the present one, which help may show.
CLI::Option* add_word_option(CLI::App& app, const char* name, const char* description, std::vector<std::string> words,
                             const std::function<void(const std::string&)>& take,
                             const std::function<std::string()>& word);

/// Adds an option that takes one of the words for a described enum.
template <class Enum>
CLI::Option* add_word_option(CLI::App& app, const char* name, Enum& into, const char* description) {
    using known = boost::describe::describe_enumerators<Enum>;
    std::vector<std::string> words;
    boost::mp11::mp_for_each<known>([&words](auto one) { words.push_back(word_of(one.name)); });
    const auto take = [&into](const std::string& given) {
        boost::mp11::mp_for_each<known>([&](auto one) { into = word_of(one.name) == given ? one.value : into; });
    };
    const auto word = [&into] { return word_of(boost::describe::enum_to_string(into, "")); };
    return add_word_option(app, name, description, std::move(words), take, word);
}

/// Adds a flag that turns off what is on by default. (With CLI11's own "!--flag", the help would say "{false}".)
CLI::Option* add_off_flag(CLI::App& command, const char* name, bool& on, const char* description);

/// Adds the options of every command: the form of its output and the log level.
void add_output_options(CLI::App& app, output_options& into);

/// Adds the options of every command that asks a service. `service` is what the names of the service's variables begin
/// with.
void add_access_options(CLI::App& app, service_access& into, std::string_view service);

/// Adds the options for where the account's use is counted.
void add_quota_options(CLI::App& command, std::string& folder, bool& share);

}  // namespace vembed::cli
