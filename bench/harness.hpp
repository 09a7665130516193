#pragma once
/// What every benchmark needs: processes pinned to cores, what they used of the machine, medians, and tables.

#include <sys/types.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <vembed/core/time.hpp>

namespace vembed::bench {

/// The monotonic clock, in seconds.
double seconds_now();

/// CPU time of this process so far, all threads, user and system, in seconds.
double cpu_seconds();
/// The same of the children that it waited for.
double child_cpu_seconds();

/// Bytes of memory in use now and at most so far (VmRSS and VmHWM).
std::uint64_t resident_bytes();
std::uint64_t resident_bytes_peak();

/// As many open files as the system lets this process have.
void raise_file_limit();

/// A folder of this process in the temporary folder, gone when it goes.
class scratch_folder {
public:
    scratch_folder();
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder();
    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// A forked process that runs one function on one core. The forking process must have no other thread.
class child {
public:
    /// `work` writes lines to the file descriptor it is given. Its process ends when it returns or throws, and when
    /// the parent dies. `core`: empty for any.
    child(std::optional<int> core, const std::function<void(int)>& work);
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    /// Kills it where it still runs.
    ~child();

    /// The next line it wrote; throws where it ended without one.
    std::string read_line();
    /// The line that it wrote before it ended; throws where it failed.
    std::string result_line();

private:
    pid_t pid_ = -1;
    int from_ = -1;
    std::string unread_;
};

void write_line(int to, std::string_view line);

/// Completes coroutines whose failure ends the program: out of the event loop's run().
void rethrow(const std::exception_ptr& error);

double median(std::vector<double> values);

/// Options of the form --name value. Exits with a message if one is not among `known`, and with `help` on stdout, and
/// status 0, for --help.
class arguments {
public:
    arguments(int argc, char** argv, std::vector<std::string> known, std::string_view help);
    [[nodiscard]] std::string text(std::string_view name, std::string otherwise) const;
    [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
    /// A comma separated list.
    [[nodiscard]] std::vector<std::string> list(std::string_view name, std::string otherwise) const;

private:
    std::vector<std::pair<std::string, std::string>> given_;
};

/// The cores of server and client: the last and the first of those this process may use. Both empty where there is
/// only one, which is said on stderr: the figures then mean little.
class cores {
public:
    std::optional<int> client;
    std::optional<int> server;

    cores();
};

/// A table for people on stderr; the JSON lines on stdout are for programs.
class table {
public:
    explicit table(std::vector<std::string> header);
    void add(std::vector<std::string> row);
    void print() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

std::string fixed(double value, int digits);
void print_json(const boost::json::object& line);

}  // namespace vembed::bench
