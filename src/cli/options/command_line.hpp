#pragma once
/// The command line as values: what was asked, checked as far as that is possible without touching anything.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <vembed/attest/attest_corpus.hpp>
#include <vembed/bulk/options.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/folder/export_folder.hpp>
#include <vembed/plan/plan_corpus.hpp>
#include <vembed/run/run_folder.hpp>
#include <vembed/testing/aitbc_service.hpp>
#include <vembed/testing/cyberun_service.hpp>
#include <vembed/testing/service.hpp>
#include <vembed/verify/sha256.hpp>

#include "cli_aitbc/arguments.hpp"
#include "cli_parts/access.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

class corpus_arguments {
public:
    std::vector<std::string> inputs;  ///< "-" is standard input, at most once.
    file_source_options format;

    corpus_arguments() = default;
};

class embed_arguments {
public:
    corpus_arguments corpus;
    run_folder_options run;    ///< All but what the other fields have.
    std::string spec_file;     ///< Exactly one of this and run.bulk.model is set.
    std::string quota_folder;  ///< Empty if the usual one is used.
    std::string pins_file;     ///< Empty if the usual one is used.
    std::uint32_t arrival_wait_s = 120;
    bool jobs_in_flight_given = false;
    bool share_quota = true;

    embed_arguments() = default;
};

class plan_arguments {
public:
    corpus_arguments corpus;
    plan_corpus_options options;  ///< All but what `corpus` and the fields below have.
    std::string spec_file;
    std::string quota_folder;  ///< Empty: the usual one.
    bool share_quota = true;   ///< Whether what is counted there is taken into account.

    plan_arguments() = default;
};

class attest_arguments {
public:
    corpus_arguments corpus;
    attest_options options;    ///< Without what the other fields say in words.
    std::string commitment;    ///< SHA-256 of the bytes of all rows, 64 hex digits; empty if options.npy_file is set.
    std::string spec_file;     ///< Exactly one of options.model and spec_file is set.
    std::string pins_file;     ///< Empty if the usual one is used.
    std::string quota_folder;  ///< Empty if the usual one is used.
    bool share_quota = true;

    attest_arguments() = default;
};

class verify_arguments {
public:
    std::string folder;
    std::string pins_file;              ///< Empty if the usual one is used.
    std::vector<std::string> required;  ///< The names of checks.
    bool learn_pins = false;
    bool row_hashes = true;
    bool online = false;

    verify_arguments() = default;
};

/// Which service `serve` stands in for.
enum class served_api : std::uint8_t { cyberian, cyberun, aitbc };

class serve_arguments {
public:
    served_api api = served_api::cyberian;
    std::string address;
    std::uint16_t port = 0;
    std::string tls_certificate_file;
    std::string tls_key_file;
    std::string faults;
    std::vector<std::string> spoil;  ///< Each is KIND@JOBS.
    std::string receipt_scheme;      ///< Empty if the default one is used.
    std::string commitment;          ///< Empty if the default one is used.
    std::string api_key_file;
    testing::service_options service;  ///< The options, without what is read from the words and files above.
    testing::cyberun_options cyberun;  ///< The same.
    testing::aitbc_options aitbc;      ///< The same.
    std::uint16_t store_port = 0;      ///< Of Cyberun's store.
    std::uint64_t seed = 1;

    serve_arguments() = default;
};

class job_arguments {
public:
    enum class verb : std::uint8_t { submit, get, wait, results, output };
    verb what = verb::get;
    std::string id;
    std::string file;             ///< The file to write with `output`; empty if it is standard output.
    std::uint32_t timeout_s = 0;  ///< The time that `wait` may take; 0 if there is no limit.

    // The fields from here on are for `submit`.
    corpus_arguments corpus;  ///< Exactly one of its inputs and `texts` is given.
    std::vector<std::string> texts;
    std::string model;  ///< Exactly one of model and spec_file is set.
    std::string spec_file;
    std::string quota_folder;  ///< Empty if the usual one is used.
    bool share_quota = true;

    job_arguments() = default;
};

class receipt_arguments {
public:
    enum class verb : std::uint8_t { get, verify, check };
    verb what = verb::get;
    std::string id;

    // The fields from here on are for `check`.
    std::vector<std::string> required;  ///< The names of checks.
    std::string file;
    std::string results_file;  ///< The job's results; empty if there are none.
    std::string npy_file;      ///< The job's rows; empty if there are none.
    corpus_arguments corpus;   ///< The job's texts; it has no inputs if there are none.
    std::string pins_file;     ///< If this is empty, nothing is known about the account's schemes.
    std::string account;       ///< Its key or id in `pins_file`; may be empty if it is the only one there.

    receipt_arguments() = default;
};

class status_arguments {
public:
    std::string folder;

    status_arguments() = default;
};

class export_arguments {
public:
    std::string folder;
    export_options options;

    export_arguments() = default;
};

class prove_arguments {
public:
    std::string folder;
    std::optional<std::uint64_t> row;  ///< Exactly one of row and id is set.
    std::optional<std::string> id;
    bool platform = false;
    std::string pins_file;  ///< Empty if it is this user's own.
    std::string file;       ///< The file for the proof; empty if it is standard output.

    prove_arguments() = default;
};

class check_proof_arguments {
public:
    std::vector<std::string> files;
    std::optional<digest> root;
    std::optional<std::uint64_t> rows;
    std::string text_file;  ///< Empty if no text is given.
    std::string pins_file;  ///< If this is empty, this user's own file is read if an account is named, else none.
    std::string account;    ///< Its key or its id; may be empty if it is the only one in `pins_file`.

    check_proof_arguments() = default;
};

class health_arguments {};
class models_arguments {};
class account_arguments {};

class keys_arguments {
public:
    enum class verb : std::uint8_t { rotate, revoke };
    verb what = verb::rotate;
    std::string key_id;
    std::string save_file;  ///< The file for the new key of `rotate`; empty if it is standard output.

    keys_arguments() = default;
};

using command_arguments =
    std::variant<embed_arguments, plan_arguments, attest_arguments, verify_arguments, serve_arguments, job_arguments,
                 receipt_arguments, status_arguments, export_arguments, prove_arguments, check_proof_arguments,
                 models_arguments, account_arguments, keys_arguments, health_arguments, aitbc_arguments>;

class command_line {
public:
    output_options output;
    service_access access;
    command_arguments command;

    command_line() = default;
};

/// There is nothing to run: a text was asked for, or the command line makes no sense.
class early_exit {
public:
    exit_code code = exit_code::done;
    std::string out;  ///< The text for standard output.
    std::string err;  ///< The text for standard error.

    early_exit() = default;
};

/// Reads the arguments (without the program's name).
std::variant<command_line, early_exit> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace vembed::cli
