#include "cli_parts/option_parts.hpp"

#include <algorithm>
#include <utility>

namespace vembed {

BOOST_DESCRIBE_ENUM(log_level, debug, info, warning, error)

namespace cli {

std::string word_of(const char* name) {
    std::string word(name);
    std::ranges::replace(word, '_', '-');
    return word;
}

CLI::Option* add_word_option(CLI::App& app, const char* name, const char* description, std::vector<std::string> words,
                             const std::function<void(const std::string&)>& take,
                             const std::function<std::string()>& word) {
    return app.add_option_function<std::string>(name, take, description)
        ->check(CLI::IsMember(std::move(words)))
        ->default_function(word);
}

void add_output_options(CLI::App& app, output_options& into) {
    app.add_flag("--json", into.json, "Results as typed JSON objects, one a line, on standard output");
    app.add_flag("-q,--quiet", into.quiet, "No progress and no messages but failures and warnings");
    add_word_option(app, "--log-level", into.level, "Log records on standard error from this level on")
        ->capture_default_str();
}

CLI::Option* add_off_flag(CLI::App& command, const char* name, bool& on, const char* description) {
    return command.add_flag_callback(
        name, [&on] { on = false; }, description);
}

void add_access_options(CLI::App& app, service_access& into, std::string_view service) {
    const auto or_variable = [service](const char* what, const char* name) {
        return std::string(what) + " (or " + std::string(service) + name + ")";
    };
    app.add_option("--base-url", into.base_url, or_variable("Where the service is", "_BASE_URL"))->type_name("URL");
    app.add_option("--api-key-file", into.api_key_file,
                   or_variable("A file whose first line is the API key", "_API_KEY"))
        ->type_name("FILE");
    app.add_option("--ca-file", into.ca_file, or_variable("Certificate authorities to trust, PEM", "_CA_FILE"))
        ->type_name("FILE");
}

void add_quota_options(CLI::App& command, std::string& folder, bool& share) {
    CLI::Option* shared = command.add_option("--quota-folder", folder,
                                             "Where the account's use is kept, for all processes of this user "
                                             "[$XDG_STATE_HOME/vembed or ~/.local/state/vembed]");
    shared->type_name("DIR");
    add_off_flag(command, "--no-shared-quota", share, "Keep the account's use to this process")->excludes(shared);
}

}  // namespace cli
}  // namespace vembed
