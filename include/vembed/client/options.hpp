#pragma once
/// @file
/// The options of a client.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>
#include <vembed/verify/verify_level.hpp>

namespace vembed {

/// Limits that the client keeps besides those that /account tells. Empty: none.
class throttle_options {
public:
    std::optional<std::uint64_t> chunks_per_minute;    ///< In any sliding 60 s.
    std::optional<std::uint64_t> requests_per_minute;  ///< POSTs in any sliding 60 s.
    std::optional<std::uint64_t> jobs_in_flight;       ///< Submitted and not yet final.

    throttle_options() = default;
};

class client_options {
public:
    /// The service's address. Empty: the variable CYBERIAN_BASE_URL, else https://api.cyberiansystems.ai. Plain http is
    /// accepted to this machine only.
    std::string base_url;
    /// The key, see secret::from_key and from_file. Null: the variable CYBERIAN_API_KEY. It is sent to base_url's
    /// origin and nowhere else.
    std::shared_ptr<const secret> api_key;
    /// Certificate authorities (PEM) to trust instead of the system's. Empty: the variable CYBERIAN_CA_FILE, else the
    /// system's. The server's certificate and host name are always checked.
    std::string ca_file;
    throttle_options throttle;
    /// Read /account before the first job and keep to the limits it tells. False together with quota_folder or
    /// pins_file is refused (invalid_argument): both are kept by account.
    bool learn_limits = true;
    /// A folder in which the account's quota is counted together with all other clients and processes of this machine
    /// that name the same folder: in quota/, a few files of some KB an account, named after a hash of base_url and
    /// account_id. It is created if it does not exist; readable by whoever may read the folder; removable while nothing
    /// uses it. What an account used, pauses the service asked for and limits learned from refusals outlive the
    /// process. Used from the first reading of /account on, so it needs learn_limits; if the folder cannot be used,
    /// that is logged (shared_quota_unavailable) and this client counts for itself. It must be on a file system of this
    /// machine. Empty: this client counts for itself.
    std::string quota_folder;
    /// A file that keeps which schemes the receipts of each account were seen to follow (<vembed/verify/pins.hpp>), so
    /// that a later receipt that follows other schemes fails instead of being not checkable. It is shared by all
    /// processes that name it, and created if it does not exist. It is read with /account, so it needs learn_limits; a
    /// file that cannot be read fails every operation that needs /account (invalid_argument, io). Empty: what is
    /// learned ends with this client.
    std::string pins_file;
    /// What is checked of each job of embed(); embed_corpus has its own (bulk_options::verify).
    verify_level verify = verify_level::receipt;
    /// For how long embed() asks again for a job that the service has accepted and does not know yet, or whose results
    /// have no rows yet; embed_corpus has its own (bulk_options::visible_within).
    std::chrono::seconds visible_within{30};
    std::uint32_t connections_max = 1024;      ///< Exchanges beyond that wait.
    std::chrono::seconds connect_timeout{15};  ///< Resolve, connect and TLS handshake together.
    std::chrono::seconds try_timeout{60};      ///< One try of one request; a long poll asks for at most 30 s.
    std::uint32_t tries_max = 6;               ///< Tries of a request that may be repeated, faults only.
    std::string user_agent;                    ///< Empty: "vembed/<version>".
    /// Called with each log record of log_at_least or more, on the client's executor. A record never has the key or
    /// input text.
    log_hook log;
    log_level log_at_least = log_level::info;
    /// Clocks, randomness and blocking work. Null: the machine's. An environment given here brings its own log hook.
    std::shared_ptr<environment> env;
    /// Carries requests instead of sockets, for tests: vembed::testing::make_memory_transport(). base_url is then only
    /// a name.
    std::shared_ptr<transport> transport_override;

    client_options() = default;
};

}  // namespace vembed
