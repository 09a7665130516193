#pragma once
/// A corpus that comes on standard input, made a file: a corpus is read more than once.

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

/// How reading standard input is told to stop.
class input_stop {
public:
    std::stop_token token;
    /// Whether a stop was asked for, if the caller knows that sooner than the token does: a signal that ends this
    /// program often ends the one that writes its input, and what ends so is not a corpus. Null: the token alone
    /// counts.
    bool (*asked)() noexcept = nullptr;

    input_stop() = default;
    explicit input_stop(std::stop_token of, bool (*sooner)() noexcept = nullptr)
        : token(std::move(of)), asked(sooner) {}

    [[nodiscard]] bool stopped() const noexcept { return token.stop_requested() || (asked != nullptr && asked()); }
};

/// Copies standard input to `folder`/stdin.spool and returns that path. Where there is such a file already, it must
/// give the same rows, and it stays; unless nothing depends on it, since no run was begun in the folder or it takes any
/// corpus (bulk::takes_any_corpus), in which case it is replaced. folder_mismatch where it is another text; cancelled
/// if `stop` was asked for meanwhile; io.
result<std::string> spool_standard_input(const std::string& folder, const input_stop& stop);

/// A file of standard input's bytes that goes away with this object. It is made in $TMPDIR, else in /var/tmp, else in
/// memory, where it takes 1 GiB at most.
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
    storage::unique_fd in_memory_;  ///< Empty: the file has a name.
};

/// The files of a corpus, standard input as a temporary one.
class input_files {
public:
    std::vector<std::string> files;
    std::unique_ptr<temporary_spool> spool;
    std::uint32_t rules = corpus::latest_reading_rules;  ///< That the files are read by.

    input_files() = default;
};

/// `given` with standard input ("-", at most once) copied to a temporary file. Fails as temporary_spool::make.
result<input_files> resolve_inputs(std::vector<std::string> given, const input_stop& stop);

}  // namespace vembed::folder
