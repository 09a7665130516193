#include "harness.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <boost/json/serialize.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::bench {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double used_by(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

std::uint64_t status_bytes(std::string_view name) {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with(name)) {
            return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
        }
    }
    throw std::runtime_error("/proc/self/status has no " + std::string(name));
}

void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot pin a process to a core");
    }
}

[[noreturn]] void run_child(std::optional<int> core, const std::function<void(int)>& work, int to) {
    int code = 0;
    try {
        // Nothing is left behind where the benchmark is interrupted.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (core) {
            pin(*core);
        }
        work(to);
    } catch (const std::exception& e) {
        std::cerr << "a benchmark process failed: " << e.what() << '\n';
        code = 1;
    }
    ::_exit(code);
}

}  // namespace

scratch_folder::scratch_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vembed-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), pattern);
    }
    path_ = pattern;
}

scratch_folder::~scratch_folder() {
    std::error_code ignored;  // What stays behind in the temporary folder does no harm.
    std::filesystem::remove_all(path_, ignored);
}

double seconds_now() {
    static const std::shared_ptr<environment> env = make_system_environment();
    return std::chrono::duration<double>(env->now().time_since_epoch()).count();
}

double cpu_seconds() {
    return used_by(RUSAGE_SELF);
}

double child_cpu_seconds() {
    return used_by(RUSAGE_CHILDREN);
}

std::uint64_t resident_bytes() {
    return status_bytes("VmRSS:");
}

std::uint64_t resident_bytes_peak() {
    return status_bytes("VmHWM:");
}

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

child::child(std::optional<int> core, const std::function<void(int)>& work) {
    int ends[2];
    if (::pipe(ends) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    }
    pid_ = ::fork();
    if (pid_ < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot fork");
    }
    if (pid_ == 0) {
        ::close(ends[0]);
        run_child(core, work, ends[1]);
    }
    ::close(ends[1]);
    from_ = ends[0];
}

child::~child() {
    ::close(from_);
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::string child::result_line() {
    std::string line = read_line();
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error("a benchmark process failed after it had measured");
    }
    return line;
}

std::string child::read_line() {
    for (;;) {
        const std::size_t end = unread_.find('\n');
        if (end != std::string::npos) {
            std::string line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return line;
        }
        char piece[4096];
        const ssize_t size = ::read(from_, piece, sizeof piece);
        if (size <= 0) {
            throw std::runtime_error("a benchmark process ended early");
        }
        unread_.append(piece, static_cast<std::size_t>(size));
    }
}

void write_line(int to, std::string_view line) {
    std::string text(line);
    text += '\n';
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t size = ::write(to, text.data() + done, text.size() - done);
        if (size <= 0) {
            throw std::system_error(errno, std::generic_category(), "cannot report a measurement");
        }
        done += static_cast<std::size_t>(size);
    }
}

void rethrow(const std::exception_ptr& error) {
    if (error) {
        std::rethrow_exception(error);
    }
}

double median(std::vector<double> values) {
    if (values.empty()) {
        return std::nan("");
    }
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

arguments::arguments(int argc, char** argv, std::vector<std::string> known, std::string_view help) {
    const auto asks = [](std::string_view word) { return word == "--help" || word == "-h"; };
    if (std::any_of(argv + 1, argv + argc, asks)) {
        std::cout << help;
        std::exit(0);
    }
    for (int i = 1; i < argc; i += 2) {
        const std::string_view word = argv[i];
        const bool good = word.starts_with("--") && i + 1 < argc &&
                          std::find(known.begin(), known.end(), word.substr(2)) != known.end();
        if (!good) {
            std::cerr << "not an option with a value: " << word << ". There are:";
            for (const std::string& name : known) {
                std::cerr << " --" << name;
            }
            std::cerr << '\n';
            std::exit(2);
        }
        given_.emplace_back(word.substr(2), argv[i + 1]);
    }
}

std::string arguments::text(std::string_view name, std::string otherwise) const {
    for (const auto& [given, value] : given_) {
        if (given == name) {
            return value;
        }
    }
    return otherwise;
}

std::uint64_t arguments::number(std::string_view name, std::uint64_t otherwise) const {
    const std::string value = text(name, std::to_string(otherwise));
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0' || number == 0) {
        std::cerr << "--" << name << " must be a positive number\n";
        std::exit(2);
    }
    return number;
}

std::vector<std::string> arguments::list(std::string_view name, std::string otherwise) const {
    std::string left = text(name, std::move(otherwise));
    std::vector<std::string> items;
    while (!left.empty()) {
        const std::size_t comma = std::min(left.find(','), left.size());
        items.push_back(left.substr(0, comma));
        left.erase(0, comma + 1);
    }
    return items;
}

cores::cores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, &allowed)) {
            client = client ? client : core;
            server = core;
        }
    }
    if (client == server) {
        std::cerr << "only one core: client and server disturb each other, the figures mean little\n";
        client.reset();
        server.reset();
    }
}

table::table(std::vector<std::string> header) {
    rows_.push_back(std::move(header));
}

void table::add(std::vector<std::string> row) {
    rows_.push_back(std::move(row));
}

void table::print() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    for (const auto& row : rows_) {
        std::cerr << '|';
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::cerr << ' ' << row[i] << std::string(widths[i] - row[i].size(), ' ') << " |";
        }
        std::cerr << '\n';
        if (&row == &rows_.front()) {
            std::cerr << '|';
            for (const std::size_t width : widths) {
                std::cerr << std::string(width + 2, '-') << '|';
            }
            std::cerr << '\n';
        }
    }
}

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

void print_json(const boost::json::object& line) {
    std::cout << boost::json::serialize(line) << std::endl;
}

}  // namespace vembed::bench
