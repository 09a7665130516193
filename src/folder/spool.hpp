#pragma once
/// Makes a file of a corpus that comes on standard input, because a corpus is read more than once.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>

#include "corpus/records/reading_rules.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Tells whether reading standard input must stop.
class input_stop {
public:
    std::stop_token token;
    /// Whether a stop was requested, if the caller knows that sooner than the token does. A signal that ends this
    /// program often also ends the program that writes its input, and an input that ends that way is not a whole
    /// corpus. If this is null, the token alone counts.
    bool (*asked)() noexcept = nullptr;

    input_stop() = default;
    explicit input_stop(std::stop_token of, bool (*sooner)() noexcept = nullptr)
        : token(std::move(of)), asked(sooner) {}

    [[nodiscard]] bool stopped() const noexcept { return token.stop_requested() || (asked != nullptr && asked()); }
};

/// Copies standard input to `folder`/stdin.spool and returns that path. If there is such a file already and the folder
/// depends on it, the file must give the same rows, and it stays; it is folder_mismatch if it gives others. If no run
/// was begun in the folder, or if the folder takes any corpus (takes_any_corpus), the file is replaced. cancelled if
/// `stop` was requested meanwhile; io.
result<std::string> spool_standard_input(const std::string& folder, const input_stop& stop);

/// A file of standard input's bytes that is removed with this object. It is made in $TMPDIR, else in /var/tmp, else in
/// memory, with 1 GiB at most.
class temporary_spool {
public:
    static result<std::unique_ptr<temporary_spool>> make(const input_stop& stop);
    temporary_spool(const temporary_spool&) = delete;
    temporary_spool& operator=(const temporary_spool&) = delete;
    ~temporary_spool();
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    temporary_spool(std::string path, storage::unique_fd in_memory)
        : path_(std::move(path)), in_memory_(std::move(in_memory)) {}
    std::string path_;
    storage::unique_fd in_memory_;  ///< Empty if the file has a name.
};

/// The files of a corpus, with a temporary file for standard input.
class input_files {
public:
    std::vector<std::string> files;
    std::unique_ptr<temporary_spool> spool;
    std::uint32_t rules = corpus::latest_reading_rules;  ///< The reading rules for the files.

    input_files() = default;
};

/// Returns `given` with standard input ("-", at most once) copied to a temporary file. The errors are those of
/// temporary_spool::make.
result<input_files> resolve_inputs(std::vector<std::string> given, const input_stop& stop);

}  // namespace vembed::folder
