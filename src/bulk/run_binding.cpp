#include "bulk/run_binding.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "bulk/output_folder.hpp"
#include "storage/file_ops.hpp"

namespace vembed::bulk {
namespace {

bool has_nothing_bought(const prior_run& left) {
    const bool bought = !left.batches.empty() || left.batches_done > 0 || left.chunks_charged > 0;
    const run_facts& facts = left.facts;
    const bool has_rows = !facts.spec_hash.empty() || facts.dimensions > 0 || facts.extra_chunks > 0;
    return !bought && !has_rows;
}

// A file that cannot be looked at may have rows. The sink makes those of lines and hashes before it has any.
bool may_hold_rows(const std::string& folder) {
    const auto is_there = [&folder](std::string_view name) {
        std::error_code error;
        return std::filesystem::exists(output::in(folder, name), error) || error;
    };
    const auto has_content = [&folder, &is_there](std::string_view name) {
        std::error_code error;
        return is_there(name) && (std::filesystem::file_size(output::in(folder, name), error) > 0 || error);
    };
    constexpr std::array matrices{output::embeddings, output::embeddings_partial, output::manifest};
    constexpr std::array lists{output::row_hashes, output::receipts, output::cached};
    return std::ranges::any_of(matrices, is_there) || std::ranges::any_of(lists, has_content);
}

}  // namespace

bool may_be_taken_over(const run_identity& then, const run_identity& now, const prior_run& left) {
    return then.corpus == now.corpus && has_nothing_bought(left);
}

bool takes_any_corpus(const std::string& folder, const prior_run& left) {
    return has_nothing_bought(left) && !may_hold_rows(folder);
}

result<void> remove_descriptions(const std::string& folder) {
    for (const std::string_view name : {output::ids, output::text_hashes, output::failed, output::copies}) {
        std::error_code error;
        const std::string path = output::in(folder, name);
        std::filesystem::remove(path, error);
        if (error) {
            return storage::io_failure("remove", path, error.value());
        }
    }
    return storage::sync_folder(storage::system_file_ops(), folder);
}

}  // namespace vembed::bulk
