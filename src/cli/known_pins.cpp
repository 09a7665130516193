#include "cli/known_pins.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "cli/replaced_file.hpp"
#include "cli/session.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {

std::string default_pins_file() {
    const std::string folder = state_folder(std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
    return folder.empty() ? folder : folder + "/pins.json";
}

result<scheme_pins> read_pins(const std::string& path, bool must_exist) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !must_exist) {
        return scheme_pins();
    }
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    // One byte more than is read: a longer file must not pass for its beginning.
    std::string text(scheme_pins::text_bytes_max + 1, '\0');
    auto got = storage::read_at(storage::system_file_ops(), fd->get(), text.data(), text.size(), 0, path);
    if (!got) {
        return got.error();
    }
    text.resize(*got);
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    auto pins = scheme_pins::from_json(text);
    if (!pins) {
        return failure(pins.error().kind, path + ": " + pins.error().message);
    }
    return pins;
}

result<void> keep_pins(const std::string& path, std::string_view account_id, const account_pins& pins) {
    if (auto made = storage::make_folder(storage::system_file_ops(), storage::folder_of(path)); !made) {
        return made;
    }
    auto lock = storage::file_lock::acquire(path + ".lock", path);
    if (!lock) {
        return lock.error();
    }
    auto known = read_pins(path, false);
    if (!known) {
        return known.error();
    }
    if (auto set = known->set(account_id, pins); !set) {
        return set;
    }
    auto file = replaced_file::create(path);
    if (!file) {
        return file.error();
    }
    const std::string text = known->to_json() + "\n";
    if (auto written = file->append(text.data(), text.size()); !written) {
        return written;
    }
    return file->finish();
}

}  // namespace vembed::cli
