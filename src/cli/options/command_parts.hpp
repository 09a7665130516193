#pragma once
/// The parts from which the commands and their options are put together. Only the sources that add commands use them.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include "cli/options/command_options.hpp"

namespace vembed::cli {

/// Adds a command. If it is given, `into.chosen` takes its arguments out of `to`.
template <class Arguments>
CLI::App* add_command(CLI::App& app, parsed_options& into, const char* name, const char* description, Arguments& to) {
    CLI::App* command = app.add_subcommand(name, description);
    command->callback([&into, &to] { into.chosen = [&to] { return command_arguments(std::move(to)); }; });
    return command;
}

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

/// Adds the options of every command: the form of its output and the log level.
void add_output_options(CLI::App& app, parsed_options& into);

/// Adds `vembed serve`.
void add_serve(CLI::App& app, parsed_options& into);

}  // namespace vembed::cli
