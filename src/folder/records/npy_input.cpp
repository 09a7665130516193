#include "folder/records/npy_input.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include "text/text_format.hpp"

namespace vembed::folder {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are little-endian float32 and are read in place");

constexpr std::string_view magic_of_any_version = "\x93NUMPY";
constexpr std::uint64_t npy_dimensions_max = 1'000'000;

error no_matrix(std::string what) {
    return {errc::bad_input, "is no .npy matrix of float32 rows: " + std::move(what)};
}

// Reads the Python literal of a header in the forms that numpy writes: {'descr': '<f4', 'fortran_order': False,
// 'shape': (3, 4), }.
class header_reader {
public:
    explicit header_reader(std::string_view text) : rest_(text) {}

    result<npy_layout> read() {
        if (!take('{')) {
            return unreadable();
        }
        while (!take('}')) {
            const auto key = quoted();
            if (!key || !take(':') || !value_of(*key)) {
                return unreadable();
            }
            if (!take(',')) {
                if (!take('}')) {
                    return unreadable();
                }
                break;
            }
        }
        skip();
        if (!rest_.empty() || !descr_ || !fortran_ || !shape_seen_) {
            return unreadable();
        }
        return judge();
    }

private:
    static error unreadable() { return no_matrix("its header cannot be read"); }

    result<npy_layout> judge() const {
        if (*descr_ != "<f4") {
            return no_matrix("its numbers are '" + text::printable(descr_->substr(0, 40)) +
                             "', not '<f4'; in Python: numpy.save(f, a.astype('<f4'))");
        }
        if (*fortran_) {
            return no_matrix("its order is Fortran's; in Python: numpy.save(f, numpy.ascontiguousarray(a))");
        }
        if (axes_ != 2) {
            return no_matrix("it has " + std::to_string(axes_) + " axes instead of rows and columns");
        }
        if (layout_.rows == 0 || layout_.dimensions == 0 || layout_.dimensions > npy_dimensions_max ||
            layout_.rows > std::uint64_t{1} << 40) {
            return no_matrix("its shape is " + std::to_string(layout_.rows) + " x " +
                             std::to_string(layout_.dimensions));
        }
        return layout_;
    }

    bool value_of(std::string_view key) {
        if (key == "descr" && !descr_) {
            descr_ = quoted();
            return descr_.has_value();
        }
        if (key == "fortran_order" && !fortran_) {
            if (take_word("False")) {
                fortran_ = false;
            } else if (take_word("True")) {
                fortran_ = true;
            }
            return fortran_.has_value();
        }
        return key == "shape" && !shape_seen_ && shape();
    }

    bool shape() {
        shape_seen_ = true;
        if (!take('(')) {
            return false;
        }
        while (!take(')')) {
            skip();
            std::uint64_t size = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
            if (error != std::errc()) {
                return false;
            }
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            (axes_ == 0 ? layout_.rows : layout_.dimensions) = size;
            ++axes_;
            if (!take(',')) {
                return take(')');
            }
        }
        return true;
    }

    void skip() {
        const std::size_t white = rest_.find_first_not_of(" \n");
        rest_.remove_prefix(std::min(white, rest_.size()));
    }
    bool take(char wanted) {
        skip();
        const bool there = rest_.starts_with(wanted);
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }
    bool take_word(std::string_view word) {
        skip();
        const bool there = rest_.starts_with(word);
        rest_.remove_prefix(there ? word.size() : 0);
        return there;
    }
    std::optional<std::string_view> quoted() {
        skip();
        if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) {
            return std::nullopt;
        }
        const std::size_t end = rest_.find(rest_.front(), 1);
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string_view inner = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return inner;
    }

    std::string_view rest_;
    npy_layout layout_;
    std::size_t axes_ = 0;
    bool shape_seen_ = false;
    std::optional<std::string_view> descr_;
    std::optional<bool> fortran_;
};

}  // namespace

result<npy_layout> read_npy_layout(std::string_view beginning) {
    if (!beginning.starts_with(magic_of_any_version) || beginning.size() < 10) {
        return no_matrix("it does not begin as one");
    }
    const auto byte = [beginning](std::size_t at) { return std::size_t{static_cast<unsigned char>(beginning[at])}; };
    const std::size_t version = byte(6);
    if (version < 1 || version > 3 || byte(7) != 0) {
        return no_matrix("it is of a version that is not known");
    }
    const std::size_t fixed = version == 1 ? 10 : 12;
    if (beginning.size() < fixed) {
        return no_matrix("it ends within its header");
    }
    std::size_t size = byte(8) | byte(9) << 8;
    size |= version == 1 ? 0 : byte(10) << 16 | byte(11) << 24;
    if (size > npy_header_bytes_max - fixed || beginning.size() < fixed + size) {
        return no_matrix("its header is longer than it can be");
    }
    auto layout = header_reader(beginning.substr(fixed, size)).read();
    if (layout) {
        layout->data_offset = fixed + size;
    }
    return layout;
}

result<npy_input> npy_input::open(const std::string& path) {
    npy_input made;
    made.path_ = path;
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    std::string beginning(npy_header_bytes_max, '\0');
    const auto got =
        storage::read_at(storage::system_file_ops(), made.fd_.get(), beginning.data(), beginning.size(), 0, path);
    if (!got) {
        return got.error();
    }
    beginning.resize(*got);
    const auto layout = read_npy_layout(beginning);
    if (!layout) {
        return error(layout.error().kind, path + " " + layout.error().message);
    }
    made.layout_ = *layout;
    const auto size = storage::size_of(made.fd_.get(), path);
    if (!size) {
        return size.error();
    }
    const std::uint64_t row_bytes = layout->dimensions * sizeof(float);
    const std::uint64_t body = *size - std::min(*size, layout->data_offset);
    if (body % row_bytes != 0 || body / row_bytes != layout->rows) {
        return error(errc::bad_input, path + " has " + std::to_string(body) + " bytes of rows, which is not " +
                                          std::to_string(layout->rows) + " rows of " +
                                          std::to_string(layout->dimensions) + " float32: was it copied whole?");
    }
    return made;
}

result<void> npy_input::read(std::uint64_t first, matrix& into) const {
    const std::uint64_t row_bytes = layout_.dimensions * sizeof(float);
    const std::size_t size = static_cast<std::size_t>(into.size()) * sizeof(float);
    const auto got = storage::read_at(storage::system_file_ops(), fd_.get(), into.data(), size,
                                      layout_.data_offset + first * row_bytes, path_);
    if (!got) {
        return got.error();
    }
    if (*got != size) {
        return error(errc::io, path_ + " became shorter while it was read");
    }
    return {};
}

}  // namespace vembed::folder
