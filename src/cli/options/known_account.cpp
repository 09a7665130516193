#include "cli/options/known_account.hpp"

#include <utility>
#include <vector>

#include <vembed/client/pins_file.hpp>

#include "cli/options/session.hpp"

namespace vembed::cli {
namespace {

std::string quoted_list(const std::vector<std::string>& keys) {
    std::string list;
    for (const std::string& key : keys) {
        list += (list.empty() ? "\"" : ", \"") + key + "\"";
    }
    return list;
}

}  // namespace

result<known_account> read_known_account(const std::string& pins_file, const std::string& account) {
    known_account known;
    if (pins_file.empty() && account.empty()) {
        return known;
    }
    const std::string file = pins_file.empty() ? usual_pins_file() : pins_file;
    if (file.empty()) {
        return error(errc::invalid_argument, "--account needs --pins FILE: neither XDG_STATE_HOME nor HOME is set");
    }
    const auto pins = read_pins_file(file, true);
    if (!pins) {
        return pins.error();
    }
    std::vector<std::string> keys = pins->accounts();
    if (!account.empty()) {
        std::erase_if(keys,
                      [&account](const std::string& key) { return key != account && !key.ends_with(" " + account); });
    }
    if (keys.size() == 1) {
        known.key = keys.front();
        known.pins = pins->of(known.key);
        return known;
    }
    if (keys.empty()) {
        return error(errc::invalid_argument, file + " has no account" + (account.empty() ? "" : " ") + account +
                                                 ": it has " + quoted_list(pins->accounts()));
    }
    return error(errc::invalid_argument, file + ": say with --account which of " + quoted_list(keys) + " it is");
}

}  // namespace vembed::cli
