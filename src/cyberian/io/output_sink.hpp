#pragma once
/// Takes a job's output: checks what its head claims, then lets the transport read the floats straight into place.

#include <cstdint>
#include <functional>
#include <span>

#include <vembed/core/result.hpp>
#include <vembed/transport/transport.hpp>
#include <vembed/verify/output_check.hpp>

namespace vembed::cyberian {

/// The destination of an output's rows.
class rows_place {
public:
    rows_place() = default;
    rows_place(const rows_place&) = delete;
    rows_place& operator=(const rows_place&) = delete;
    virtual ~rows_place() = default;

    /// Memory for rows × dimensions floats, which stays valid until the output is read. Each try calls this again.
    virtual result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) = 0;

    /// The dimensions of the model's rows as other sources tell them, 0 if they are not known. An output that does not
    /// tell its shape is accepted if its length fits these dimensions exactly.
    [[nodiscard]] virtual std::uint64_t dimensions_expected() const { return 0; }
};

class output_sink final : public response_sink {
public:
    /// The largest number of dimensions that is accepted.
    static constexpr std::uint64_t dimensions_max = 65'536;

    /// The job must have `rows` rows. If `chunks` is not empty, each chunk is hashed as its bytes arrive, and with
    /// `hash_whole` also all bytes together.
    output_sink(std::uint64_t rows, rows_place& place, std::vector<expected_chunk> chunks, bool hash_whole = false);

    /// Returns protocol if the head breaks the contract, verification_failed if the output has another number of rows
    /// and its length agrees with that number.
    result<void> begin(const response_head& head) override;
    std::span<std::byte> prepare(std::size_t at_most) override;
    result<void> commit(std::size_t size) override;

    /// Call after the exchange: returns an error if some bytes did not come.
    [[nodiscard]] result<void> complete() const;
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }
    /// False if the shape was concluded from the length.
    [[nodiscard]] bool shape_told() const noexcept { return shape_told_; }
    /// The chunks' hashes in the order given, and the hash of all bytes if it was requested. Call once, after
    /// complete().
    result<output_digests> digests();
    [[nodiscard]] std::span<const float> values() const noexcept { return values_; }

private:
    [[nodiscard]] error wrong_rows(std::uint64_t rows, std::uint64_t columns, const response_head& head) const;

    std::uint64_t rows_;
    rows_place* place_;
    std::vector<expected_chunk> chunks_;
    bool hash_whole_;
    std::optional<output_hasher> hasher_;
    std::span<float> values_;
    std::uint64_t dimensions_ = 0;
    std::size_t filled_ = 0;
    bool shape_told_ = true;
};

}  // namespace vembed::cyberian
