#pragma once
/// The matrix that embeddings are delivered in.

#include <Eigen/Core>

namespace vembed {

/// rows × dimensions, row-major float32: row i is the embedding of input i, contiguous in memory.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace vembed
