#include <vembed/client/pins_file.hpp>

#include <chrono>

#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed {

result<scheme_pins> read_pins_file(const std::string& path, bool must_exist) {
    const auto text = storage::read_small_file(path, scheme_pins::text_bytes_max);
    if (!text) {
        return text.error();
    }
    if (!*text && must_exist) {
        return error(errc::io, path + " is not there: name a file of pins that exists, or none");
    }
    if (!*text) {
        return scheme_pins();
    }
    auto pins = scheme_pins::from_json(**text);
    if (!pins) {
        return error(errc::invalid_argument, path + ": " + pins.error().message);
    }
    return pins;
}

result<account_pins> add_to_pins_file(const std::string& path, const std::string& key, const account_pins& learned,
                                      const std::stop_token& stop) {
    // The lock is beside the real file, so that processes that name a link to it and processes that name the file share
    // the lock.
    const auto file = storage::behind_links(path);
    if (!file) {
        return file.error();
    }
    if (auto made = storage::make_folder(storage::system_file_ops(), storage::folder_of(*file)); !made) {
        return made.error();
    }
    const auto lock = storage::file_lock::await(*file + ".lock", storage::file_lock::usual_wait, stop);
    if (!lock) {
        return lock.error();
    }
    auto pins = read_pins_file(path);
    if (!pins) {
        return pins.error();
    }
    const account_pins known = pins->of(key);
    account_pins both = narrowed(known, learned);
    if (both == known) {
        return both;
    }
    if (auto kept = pins->set(key, both); !kept) {
        return kept.error();
    }
    if (auto written = storage::replace_small_file(*file, pins->to_json()); !written) {
        return written.error();
    }
    return both;
}

}  // namespace vembed
