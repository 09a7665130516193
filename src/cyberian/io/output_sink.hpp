#pragma once
/// Takes a job's output: checks what its head claims, then lets the transport read the floats straight into place.

#include <cstdint>
#include <functional>
#include <span>

#include <vembed/core/result.hpp>
#include <vembed/transport/transport.hpp>
#include <vembed/verify/output_check.hpp>

namespace vembed::cyberian {

/// Where an output's rows go.
class rows_place {
public:
    rows_place() = default;
    rows_place(const rows_place&) = delete;
    rows_place& operator=(const rows_place&) = delete;
    virtual ~rows_place() = default;

    /// Memory for rows × dimensions floats, which stays valid until the output is read. Called anew for each try.
    virtual result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) = 0;

    /// What the model's rows have, as far as that is known otherwise: an output that does not tell its shape is taken
    /// where its length fits exactly. 0: not known.
    [[nodiscard]] virtual std::uint64_t dimensions_expected() const { return 0; }
};

class output_sink final : public response_sink {
public:
    /// Most dimensions of a model that is believed.
    static constexpr std::uint64_t dimensions_max = 65'536;

    /// `rows` is what the job must have. `chunks` non-empty: each is hashed as its bytes arrive, with `hash_whole` also
    /// all of them together.
    output_sink(std::uint64_t rows, rows_place& place, std::vector<expected_chunk> chunks, bool hash_whole = false);

    /// protocol for a head that breaks the contract; verification_failed for an output of another number of rows, whose
    /// length agrees with that.
    result<void> begin(const response_head& head) override;
    std::span<std::byte> prepare(std::size_t at_most) override;
    result<void> commit(std::size_t size) override;

    /// After the exchange: whether every byte came.
    [[nodiscard]] result<void> complete() const;
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }
    /// False where the shape was concluded from the length.
    [[nodiscard]] bool shape_told() const noexcept { return shape_told_; }
    /// The chunks' hashes, in the order given, and the whole's where asked for. Call once, after complete().
    result<output_digests> digests();
    [[nodiscard]] std::span<const float> values() const noexcept { return values_; }

private:
    [[nodiscard]] failure wrong_rows(std::uint64_t rows, std::uint64_t columns, const response_head& head) const;

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
