#include <utility>

#include <vembed/folder/npy_sink.hpp>

#include "folder/write/npy_writer.hpp"

namespace vembed {

class npy_sink::impl : public folder::npy_writer {
public:
    using npy_writer::npy_writer;
};

npy_sink::npy_sink(std::string folder) : impl_(std::make_unique<impl>(std::move(folder), storage::system_file_ops())) {}
npy_sink::~npy_sink() = default;

result<void> npy_sink::reserve(std::uint64_t rows, std::uint64_t dimensions) {
    return impl_->reserve(rows, dimensions);
}
result<void> npy_sink::declare_row(std::uint64_t index, const source_row& row) {
    return impl_->declare_row(index, row);
}
result<void> npy_sink::write(const row_batch& rows) {
    return impl_->write(rows);
}
result<void> npy_sink::write_receipt(const job_evidence& proof) {
    return impl_->write_receipt(proof);
}
result<void> npy_sink::fail(const failed_row& row) {
    return impl_->fail(row);
}
result<void> npy_sink::copy(std::uint64_t from, std::uint64_t to) {
    return impl_->copy(from, to);
}
result<std::uint64_t> npy_sink::withdraw(std::span<const std::uint64_t> indices) {
    return impl_->withdraw(indices);
}
result<std::optional<std::vector<input_digests>>> npy_sink::digests_of(std::span<const std::uint64_t> indices) {
    return impl_->digests_of(indices);
}
result<void> npy_sink::flush() {
    return impl_->flush();
}
result<void> npy_sink::finish(std::uint64_t rows, std::uint64_t dimensions) {
    return impl_->finish(rows, dimensions);
}

}  // namespace vembed
