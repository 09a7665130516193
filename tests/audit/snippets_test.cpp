#include <gtest/gtest.h>

#include <vembed/vembed.hpp>

#include "audit/kept_folder.hpp"

// In docs/verification.md.
bool verify_and_learn(const std::string& folder, const std::string& pins_file);
// In docs/row-proofs.md.
bool prove(const std::string& folder, std::uint64_t row, const std::string& file);
bool holds(const std::string& file, const vembed::digest& published_root, std::uint64_t published_rows);

namespace vembed::test {
namespace {

TEST(documents, verify_a_folder_and_learn_from_it) {
    const kept_folder folder;
    const testing::scratch_folder state;
    EXPECT_TRUE(verify_and_learn(folder.path(), state.file("pins.json")));
    const account_pins learned =
        read_pins_file(state.file("pins.json"), true).value().of(pins_key(kept_service, kept_account));
    EXPECT_TRUE(learned.pinned(pin_kind::output_commitment));
    folder.change_row(0);
    EXPECT_FALSE(verify_and_learn(folder.path(), state.file("pins.json")));
}

TEST(documents, prove_a_row_and_check_the_proof) {
    const kept_folder folder;
    const std::string file = folder.file("row.json");
    ASSERT_TRUE(prove(folder.path(), 2, file));
    const digest root = prove_row(folder.path(), 0).value().row.root;
    EXPECT_TRUE(holds(file, root, 9));
    EXPECT_FALSE(holds(file, root, 10));
    EXPECT_FALSE(prove(kept_folder(kept_unfinished).path(), 0, file));
}

}  // namespace
}  // namespace vembed::test
