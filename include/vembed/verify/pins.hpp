#pragma once
/// @file
/// Which schemes an account's receipts have been seen to follow. The first receipt that one scheme explains pins it;
/// from then on a value that it does not reproduce is failed instead of not checkable.
///
/// If several schemes explain all that was seen (a job of one chunk says nothing about nodes), they all remain
/// candidates until a receipt tells them apart: an ambiguous choice is never pinned.
///
/// This is trust on first use: a pin says that later receipts are made like the earlier ones, not who made them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed {

/// The values that have a scheme of their own.
enum class pin_kind : std::uint8_t {
    receipt_hash,              ///< Names of hash_scheme.
    inputs_root,               ///< Names of tree_scheme.
    outputs_root,              ///< Names of tree_scheme.
    output_commitment,         ///< Names of commitment_encoding.
    verification_attestation,  ///< Names of tree_scheme: of the tree over the re-executed chunks' commitments.
};

/// The kinds, in the order of their values.
inline constexpr std::array<pin_kind, 5> pin_kinds = {pin_kind::receipt_hash, pin_kind::inputs_root,
                                                      pin_kind::outputs_root, pin_kind::output_commitment,
                                                      pin_kind::verification_attestation};

/// The kind's name, e.g. "receipt_hash": also the name of the check that uses it.
std::string_view to_string(pin_kind kind) noexcept;

/// What is known of one account's schemes.
class account_pins {
public:
    account_pins() = default;

    /// The names of the schemes that explain everything seen so far. Empty: nothing was seen. One: it is pinned.
    [[nodiscard]] const std::vector<std::string>& candidates(pin_kind kind) const {
        return names_[static_cast<std::size_t>(kind)];
    }

    /// Exactly one scheme is left.
    [[nodiscard]] bool pinned(pin_kind kind) const { return candidates(kind).size() == 1; }

    /// Replaces the candidates. A name that this version does not know may be among them: what it pins cannot be
    /// checked here.
    void set(pin_kind kind, std::vector<std::string> names) {
        names_[static_cast<std::size_t>(kind)] = std::move(names);
    }

    friend bool operator==(const account_pins&, const account_pins&) = default;

private:
    std::array<std::vector<std::string>, pin_kinds.size()> names_;
};

/// Combines what two parties know of one account's schemes. The candidates are those that both have; if they share
/// none, those of `known` (a contradiction is no news but a fault of whatever it came from); if only one has any,
/// those.
account_pins narrowed(const account_pins& known, const account_pins& news);

/// The name under which clients and folders know an account in scheme_pins. It has the service's address
/// (client::base_url), because two services may have accounts of the same id.
std::string pins_key(std::string_view base_url, std::string_view account_id);

/// The pins of any number of accounts, as a value with a JSON text:
/// {"vembed_pins":1,"accounts":{"https://… acc_1":{"receipt_hash":["jcs/without-receipt_hash"],…}}}
class scheme_pins {
public:
    /// The longest text that from_json reads, in bytes.
    static constexpr std::size_t text_bytes_max = std::size_t{4} << 20;
    /// The most names of one kind, and the longest name or account id in bytes.
    static constexpr std::size_t names_max = 64;
    static constexpr std::size_t name_bytes_max = 256;

    scheme_pins() = default;

    /// What is known of the account under this name, see pins_key(); nothing if it was never seen.
    [[nodiscard]] account_pins of(std::string_view account_id) const;

    /// The names of all accounts, in their order.
    [[nodiscard]] std::vector<std::string> accounts() const;

    /// Replaces what is known of the account. errc::invalid_argument, leaving everything as it was, if from_json would
    /// not read the outcome: an id or a name that is too long or not UTF-8, too many or equal names.
    result<void> set(std::string_view account_id, const account_pins& pins);

    /// One line, accounts in the order of their ids. from_json reads it.
    [[nodiscard]] std::string to_json() const;

    /// Reads such a text. errc::invalid_argument, saying what is wrong: not that JSON, another version, a kind this
    /// version does not know, a limit passed. Nothing is skipped: a lost pin would turn failed checks into not
    /// checkable ones.
    static result<scheme_pins> from_json(std::string_view text);

    friend bool operator==(const scheme_pins&, const scheme_pins&) = default;

private:
    std::map<std::string, account_pins, std::less<>> accounts_;
};

}  // namespace vembed
