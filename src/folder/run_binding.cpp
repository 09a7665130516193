#include "folder/run_binding.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "folder/layout.hpp"
#include "journal/journal_takeover.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {
namespace {

// A file that cannot be examined may have rows. The sink creates the files of lines and hashes before it has rows, so
// they count only if they have content.
bool holds_rows(const std::string& folder) {
    const auto is_there = [&folder](std::string_view name) {
        std::error_code error;
        return std::filesystem::exists(layout::in(folder, name), error) || error;
    };
    const auto has_content = [&folder, &is_there](std::string_view name) {
        std::error_code error;
        return is_there(name) && (std::filesystem::file_size(layout::in(folder, name), error) > 0 || error);
    };
    constexpr std::array matrices{layout::embeddings, layout::embeddings_partial, layout::manifest};
    constexpr std::array lists{layout::row_hashes, layout::receipts, layout::cached};
    return std::ranges::any_of(matrices, is_there) || std::ranges::any_of(lists, has_content);
}

result<void> remove_texts(const std::string& folder) {
    for (const std::string_view name : {layout::ids, layout::text_hashes, layout::failed, layout::copies}) {
        std::error_code error;
        const std::string path = layout::in(folder, name);
        std::filesystem::remove(path, error);
        if (error) {
            return storage::io_failure("remove", path, error.value());
        }
    }
    return storage::sync_folder(storage::system_file_ops(), folder);
}

class files_of_sink final : public journal::files_beside {
public:
    explicit files_of_sink(std::string folder) : folder_(std::move(folder)) {}
    [[nodiscard]] bool take_any_corpus(const prior_run& left) const override { return takes_any_corpus(folder_, left); }
    result<void> remove_descriptions() override { return remove_texts(folder_); }

private:
    std::string folder_;
};

}  // namespace

bool takes_any_corpus(const std::string& folder, const prior_run& left) {
    return journal::has_nothing_bought(left) && !holds_rows(folder);
}

std::unique_ptr<run_journal> make_folder_journal(const std::string& folder) {
    return journal::make_sqlite_journal(layout::in(folder, layout::journal), std::make_unique<files_of_sink>(folder));
}

}  // namespace vembed::folder
