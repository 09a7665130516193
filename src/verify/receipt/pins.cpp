#include <vembed/verify/pins.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vembed/verify/canonical_json.hpp>

namespace vembed {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, pin_kinds.size()> kind_names = {"receipt_hash", "inputs_root", "outputs_root",
                                                                       "output_commitment", "verification_attestation"};

error not_pins(const std::string& why) {
    return {errc::invalid_argument, "the text holds no scheme pins: " + why + "; delete it to start without any"};
}

std::optional<pin_kind> kind_named(std::string_view name) {
    const auto found = std::ranges::find(kind_names, name);
    if (found == kind_names.end()) {
        return std::nullopt;
    }
    return pin_kinds[static_cast<std::size_t>(found - kind_names.begin())];
}

std::string_view view(const json::string& text) {
    return {text.data(), text.size()};
}

result<std::vector<std::string>> read_names(const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->empty() || list->size() > scheme_pins::names_max) {
        return not_pins("a kind needs a list of 1 to " + std::to_string(scheme_pins::names_max) + " scheme names");
    }
    std::vector<std::string> names;
    for (const json::value& item : *list) {
        const json::string* name = item.if_string();
        if (name == nullptr || name->empty() || name->size() > scheme_pins::name_bytes_max) {
            return not_pins("a scheme's name must have 1 to " + std::to_string(scheme_pins::name_bytes_max) + " bytes");
        }
        if (std::ranges::find(names, view(*name)) != names.end()) {
            return not_pins("a scheme is listed twice");
        }
        names.emplace_back(view(*name));
    }
    return names;
}

result<account_pins> read_account(const json::value& value) {
    const json::object* kinds = value.if_object();
    if (kinds == nullptr) {
        return not_pins("an account needs an object");
    }
    account_pins pins;
    for (const auto& [key, list] : *kinds) {
        const auto kind = kind_named({key.data(), key.size()});
        if (!kind) {
            return not_pins("it has a kind that this version does not know");
        }
        auto names = read_names(list);
        if (!names) {
            return names.error();
        }
        pins.set(*kind, std::move(*names));
    }
    return pins;
}

}  // namespace

std::string_view to_string(pin_kind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}

std::string pins_key(std::string_view base_url, std::string_view account_id) {
    return std::string(base_url) + " " + std::string(account_id);
}

account_pins narrowed(const account_pins& known, const account_pins& news) {
    account_pins both = known;
    for (const pin_kind kind : pin_kinds) {
        const auto& ours = known.candidates(kind);
        const auto& theirs = news.candidates(kind);
        if (ours.empty()) {
            both.set(kind, theirs);
            continue;
        }
        std::vector<std::string> shared;
        std::ranges::copy_if(ours, std::back_inserter(shared),
                             [&theirs](const auto& name) { return std::ranges::find(theirs, name) != theirs.end(); });
        if (!shared.empty()) {
            both.set(kind, std::move(shared));
        }
    }
    return both;
}

account_pins scheme_pins::of(std::string_view account_id) const {
    const auto found = accounts_.find(account_id);
    return found == accounts_.end() ? account_pins() : found->second;
}

std::vector<std::string> scheme_pins::accounts() const {
    std::vector<std::string> ids;
    ids.reserve(accounts_.size());
    for (const auto& account : accounts_) {
        ids.push_back(account.first);
    }
    return ids;
}

result<void> scheme_pins::set(std::string_view account_id, const account_pins& pins) {
    scheme_pins next = *this;
    next.accounts_.insert_or_assign(std::string(account_id), pins);
    auto read_back = from_json(next.to_json());
    if (!read_back) {
        return read_back.error();
    }
    accounts_ = std::move(read_back->accounts_);
    return {};
}

std::string scheme_pins::to_json() const {
    json::object accounts;
    for (const auto& [id, pins] : accounts_) {
        json::object kinds;
        for (const pin_kind kind : pin_kinds) {
            json::array names;
            for (const std::string& name : pins.candidates(kind)) {
                names.emplace_back(name);
            }
            if (!names.empty()) {
                kinds.emplace(to_string(kind), std::move(names));
            }
        }
        accounts.emplace(id, std::move(kinds));
    }
    json::object whole;
    whole.emplace("vembed_pins", 1);
    whole.emplace("accounts", std::move(accounts));
    return json::serialize(whole);
}

result<scheme_pins> scheme_pins::from_json(std::string_view text) {
    if (text.size() > text_bytes_max) {
        return not_pins("it is longer than " + std::to_string(text_bytes_max) + " bytes");
    }
    // The parser alone would accept two equal keys and keep the last one.
    const auto canonical = canonical_json(text);
    if (!canonical) {
        return not_pins(canonical.error().message);
    }
    json::parse_options options;
    options.max_depth = canonical_json_depth_max;
    json::error_code ec;
    const json::value parsed = json::parse(*canonical, ec, {}, options);
    if (ec) {
        return not_pins(ec.message());
    }
    const json::object* whole = parsed.if_object();
    const json::value* version = whole == nullptr ? nullptr : whole->if_contains("vembed_pins");
    const json::value* accounts = whole == nullptr ? nullptr : whole->if_contains("accounts");
    if (version == nullptr || *version != json::value(1) || accounts == nullptr || !accounts->is_object() ||
        whole->size() != 2) {
        return not_pins("it must be {\"vembed_pins\":1,\"accounts\":{…}}");
    }
    scheme_pins pins;
    for (const auto& [id, value] : accounts->get_object()) {
        if (id.size() > name_bytes_max) {
            return not_pins("an account's id is longer than " + std::to_string(name_bytes_max) + " bytes");
        }
        auto account = read_account(value);
        if (!account) {
            return account.error();
        }
        pins.accounts_.insert_or_assign(std::string(id.data(), id.size()), std::move(*account));
    }
    return pins;
}

}  // namespace vembed
