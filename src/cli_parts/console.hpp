#pragma once
/// The program's output: data on standard output; messages, log records and the progress line on standard error.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <vembed/core/error.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/runtime/log.hpp>

namespace vembed::cli {

/// print(), say() and warn() take a finished text, or a format of {fmt} that is checked at compile time, and arguments.
class console {
public:
    /// `json` prints results as typed JSON objects, one a line. `quiet` drops progress and all messages but errors and
    /// warnings.
    console(bool json, bool quiet);
    console(const console&) = delete;
    console& operator=(const console&) = delete;
    ~console();

    [[nodiscard]] bool json() const noexcept { return json_; }
    [[nodiscard]] bool quiet() const noexcept { return quiet_; }

    /// Masks this key from now on in everything that is printed but write_data(). What looks like a key of Cyberian is
    /// masked in any case; the keys of other services have no form of their own.
    void hide(std::shared_ptr<const secret> key) { hidden_ = std::move(key); }

    /// The text with the hidden key masked.
    [[nodiscard]] std::string masked(std::string_view text) const;

    /// Masks the hidden key in every text of the value, as it is before JSON escapes it; names of members included.
    void mask(boost::json::value& in) const;

    /// Whether standard error is a terminal that can overwrite a line. A terminal of type `dumb` cannot.
    [[nodiscard]] bool live() const noexcept { return live_; }

    /// Prints data for a person, unchanged; a line feed is added.
    void print(std::string_view line);
    template <class First, class... Rest>
    void print(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
        print(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
    }

    /// Prints one typed object, even if json() is false: {"type":type, …fields}.
    void print_object(std::string_view type, boost::json::object fields);

    /// Writes bytes to standard output.
    void write_data(std::string_view bytes);

    /// Prints a message; it is dropped if quiet.
    void say(std::string_view text);
    template <class First, class... Rest>
    void say(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
        say(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
    }

    /// Says why a command did not do all that was asked, or what it cost beyond that. It is printed even if quiet.
    void warn(std::string_view text);
    template <class First, class... Rest>
    void warn(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
        warn(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
    }

    /// Shows the progress line: over the previous one on a terminal, else as a line of its own. It is dropped if quiet.
    void show_progress(const std::string& line);

    /// The width that a line of progress may have.
    [[nodiscard]] std::size_t columns() const;

    /// Prints an error on standard error and, if json(), as an object on standard output too.
    void fail(const error& f);

    /// Prints a record of the log hook.
    void log(const log_record& record);

    /// Hands everything to the operating system. False if standard output did not take all of it.
    bool finish();

private:
    void write_error_line(std::string_view text);
    void clear_progress();

    std::shared_ptr<const secret> hidden_;
    bool json_;
    bool quiet_;
    bool live_;
    bool line_shown_ = false;
    bool failed_ = false;
};

}  // namespace vembed::cli
