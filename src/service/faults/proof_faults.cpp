#include "service/faults/proof_faults.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

#include "service/faults/draw.hpp"

namespace vembed::testing {

BOOST_DESCRIBE_ENUM(proof_fault, output_bit, output_swapped, output_short, output_nan, output_zero, commitment_bit,
                    results_of_another, range_gap, range_overlap, chunk_missing, receipt_hash_bit, inputs_root_bit,
                    outputs_root_bit, inputs_root_forged, outputs_root_forged, receipt_of_another, receipt_job_forged,
                    receipt_id_forged)

namespace {

error malformed_spoiling(std::string_view text) {
    std::string message = "`" + std::string(text.substr(0, 80)) +
                          "` does not say which jobs to spoil: KIND@N (job N only), KIND@N-M or KIND@N- (from job N "
                          "on), jobs counted from 1, with KIND one of:";
    for (const proof_fault known : proof_faults) {
        message += ' ';
        message += to_string(known);
    }
    return error(errc::invalid_argument, std::move(message));
}

bool take_job(std::string_view& text, std::uint64_t& job) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), job);
    if (error != std::errc() || job == 0) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

}  // namespace

std::string_view to_string(proof_fault fault) noexcept {
    return boost::describe::enum_to_string(fault, "invalid");
}

std::optional<proof_fault> proof_fault_named(std::string_view name) noexcept {
    const auto found = std::ranges::find(proof_faults, name, to_string);
    return found == proof_faults.end() ? std::nullopt : std::optional(*found);
}

result<spoiled_jobs> spoiled_jobs::parse(std::string_view text) {
    const std::size_t mark = text.find('@');
    const auto fault = proof_fault_named(text.substr(0, mark));
    if (mark == std::string_view::npos || !fault) {
        return malformed_spoiling(text);
    }
    std::string_view jobs = text.substr(mark + 1);
    spoiled_jobs spoiled;
    spoiled.fault = *fault;
    if (!take_job(jobs, spoiled.first)) {
        return malformed_spoiling(text);
    }
    if (jobs.empty()) {
        spoiled.last = spoiled.first;
        return spoiled;
    }
    if (jobs.front() != '-') {
        return malformed_spoiling(text);
    }
    jobs.remove_prefix(1);
    if (!jobs.empty() && (!take_job(jobs, spoiled.last) || !jobs.empty() || spoiled.last < spoiled.first)) {
        return malformed_spoiling(text);
    }
    return spoiled;
}

}  // namespace vembed::testing

namespace vembed::service {
namespace {

using testing::proof_fault;

std::uint64_t place_below(std::uint64_t seed, const job_record& job, std::uint64_t bound) {
    return draw_below(seed, job.number, purpose::proof_place, std::max<std::uint64_t>(bound, 1));
}

// The border between the two byte ranges that are exchanged, and the end of the second one.
struct exchanged {
    std::size_t middle;
    std::size_t end;
};

exchanged exchanged_bytes(const job_record& job, std::size_t size) {
    const std::size_t row_bytes = size / job.rows;
    if (job.chunks() > 1) {
        return {job.chunk_size * row_bytes, std::min<std::size_t>(std::size_t{2} * job.chunk_size * row_bytes, size)};
    }
    return {job.rows > 1 ? row_bytes : size / 2, size};
}

}  // namespace

bool is_in_rows(proof_fault fault) noexcept {
    return fault == proof_fault::output_nan || fault == proof_fault::output_zero;
}

void spoil_rows(proof_fault fault, std::uint64_t seed, const job_record& job, std::span<float> values) {
    const std::size_t dimensions = values.size() / job.rows;
    const float value = fault == proof_fault::output_nan ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
    std::ranges::fill(values.subspan(place_below(seed, job, job.rows) * dimensions, dimensions), value);
}

std::optional<spoiled_output> spoil_output(proof_fault fault, std::uint64_t seed, const job_record& job,
                                           std::span<const std::byte> bytes) {
    const bool concerned =
        fault == proof_fault::output_bit || fault == proof_fault::output_swapped || fault == proof_fault::output_short;
    if (!concerned || bytes.empty()) {
        return std::nullopt;
    }
    spoiled_output spoiled;
    spoiled.rows = job.rows;
    spoiled.bytes.assign(bytes.begin(), bytes.end());
    if (fault == proof_fault::output_bit) {
        const std::uint64_t bit = place_below(seed, job, std::uint64_t{bytes.size()} * 8);
        spoiled.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    } else if (fault == proof_fault::output_swapped) {
        const exchanged place = exchanged_bytes(job, bytes.size());
        const auto begin = spoiled.bytes.begin();
        std::rotate(begin, begin + static_cast<std::ptrdiff_t>(place.middle),
                    begin + static_cast<std::ptrdiff_t>(place.end));
    } else {
        spoiled.bytes.resize(bytes.size() - bytes.size() / job.rows);
        --spoiled.rows;
    }
    return spoiled;
}

void spoil_chunks(proof_fault fault, std::uint64_t seed, const job_record& job, std::vector<listed_chunk>& chunks) {
    if (chunks.empty()) {
        return;
    }
    const auto place = static_cast<std::ptrdiff_t>(place_below(seed, job, chunks.size()));
    const auto chunk = chunks.begin() + place;
    if (fault == proof_fault::range_gap) {
        ++chunk->row_start;
    } else if (fault == proof_fault::range_overlap) {
        ++chunk->row_end;
    } else if (fault == proof_fault::chunk_missing) {
        chunks.erase(chunk);
    } else if (fault == proof_fault::commitment_bit && chunk->commitment) {
        const std::uint64_t bit = draw_below(seed, job.number, purpose::proof_bit, 256);
        (*chunk->commitment)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
}

void flip_bit(std::string& hex, std::uint64_t draw) {
    if (std::optional<digest> value = digest_from_hex(hex)) {
        (*value)[draw / 8 % 32] ^= static_cast<std::byte>(1U << (draw % 8));
        hex = to_hex(*value);
    }
}

std::unique_ptr<job_record> another_job(std::uint64_t seed, const job_record& job) {
    auto other = std::make_unique<job_record>();
    other->number = ~job.number;  // No real job has this number: they are counted from 1.
    other->id = job_id_of(seed, other->number);
    other->receipt_id = receipt_id_of(seed, other->number);
    other->account = job.account;
    other->model = job.model;
    other->chunk_size = job.chunk_size;
    other->rows = job.rows;
    other->revised = job.revised;
    other->submitted_at = job.submitted_at;
    other->settles_at = job.settles_at;
    other->settles_wall = job.settles_wall;
    for (std::size_t i = 0; i < job.texts.size(); ++i) {
        other->texts.append("another ");
        other->texts.append(job.texts[i]);
        other->texts.end_text();
    }
    return other;
}

}  // namespace vembed::service
