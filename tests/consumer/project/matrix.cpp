// A user's file that is compiled for other alignment than the library: matrices that the library makes are freed here,
// and those made here are resized, and so freed, by the library. Sizes of all remainders by the alignment's.

#include <cstdlib>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <vembed/bulk/sink.hpp>
#include <vembed/core/matrix.hpp>
#include <vembed/verify/commitment.hpp>

namespace {

bool store(vembed::matrix& rows, std::uint64_t count, std::uint64_t dimensions) {
    vembed::matrix_sink sink(rows);
    std::vector<float> values(count * dimensions);
    std::iota(values.begin(), values.end(), 1.0F);
    std::vector<std::uint64_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::uint64_t{0});
    vembed::row_batch batch;
    batch.indices = indices;
    batch.values = values;
    batch.dimensions = dimensions;
    return sink.write(batch) && sink.finish(count, dimensions) && rows.rows() == static_cast<Eigen::Index>(count) &&
           rows(rows.rows() - 1, rows.cols() - 1) == values.back();
}

bool exchange(std::uint64_t count, std::uint64_t dimensions) {
    vembed::matrix made_there;
    if (!store(made_there, count, dimensions)) {
        return false;
    }
    vembed::matrix made_here = made_there * 2.0F;
    const vembed::matrix moved = std::move(made_there);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> of_the_user = moved;
    return vembed::commitment(of_the_user) == vembed::commitment(moved) && moved.row(0).norm() > 0 &&
           store(made_here, count + 3, dimensions + 5);
}

}  // namespace

int main() {
    for (std::uint64_t count = 1; count < 40; ++count) {
        for (const std::uint64_t dimensions : {1U, 3U, 8U, 33U, 1024U}) {
            if (!exchange(count, dimensions)) {
                std::cout << "rows came out wrong: " << count << " x " << dimensions << "\n";
                return EXIT_FAILURE;
            }
        }
    }
    std::cout << "matrices cross\n";
    return EXIT_SUCCESS;
}
