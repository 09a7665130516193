#pragma once
/// Where the program writes: data on standard output; messages, log records and the progress line on standard error.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <vembed/core/failure.hpp>
#include <vembed/runtime/log.hpp>

namespace vembed::cli {

class console {
public:
    /// `json`: results are typed JSON objects, one a line. `quiet`: no progress and no messages but failures and
    /// warnings.
    console(bool json, bool quiet);
    console(const console&) = delete;
    console& operator=(const console&) = delete;
    ~console();

    [[nodiscard]] bool json() const noexcept { return json_; }
    [[nodiscard]] bool quiet() const noexcept { return quiet_; }

    /// Whether standard error is a terminal on which one line can be written over and over. One of type `dumb` is not.
    [[nodiscard]] bool live() const noexcept { return live_; }

    /// Data for a person, as it is; a line feed is added.
    void print(std::string_view line);

    /// One typed object, whatever json() says: {"type":type, …fields}.
    void print_object(std::string_view type, boost::json::object fields);

    /// Bytes on standard output.
    void write_data(std::string_view bytes);

    /// A message; dropped where quiet.
    void say(std::string_view text);

    /// Why a command did not do all of what was asked, or what it cost beyond that: told where quiet too.
    void warn(std::string_view text);

    /// The progress line: over the previous one on a terminal, a line of its own elsewhere. Dropped where quiet.
    void show_progress(const std::string& line);

    /// How wide a line of progress may be.
    [[nodiscard]] std::size_t columns() const;

    /// A failure, on standard error and, with json(), as an object on standard output too.
    void fail(const failure& f);

    /// A record of the log hook.
    void log(const log_record& record);

    /// Hands everything to the operating system. False where standard output did not take it all.
    bool finish();

private:
    void write_error_line(std::string_view text);
    void clear_progress();

    bool json_;
    bool quiet_;
    bool live_;
    bool line_shown_ = false;
    bool failed_ = false;
};

}  // namespace vembed::cli
