#pragma once
/// @file
/// The matrix that embeddings are delivered in.

#include <Eigen/Core>

namespace vembed {

/// rows × dimensions, row-major float32: row i is the embedding of input i, contiguous in memory. DontAlign: its memory
/// comes from malloc() and goes to free() whatever a file is compiled with. Eigen's aligned memory depends on -mavx2,
/// -march=native, EIGEN_MAX_ALIGN_BYTES and the like, so that rows of the library could not be freed by its user.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

}  // namespace vembed
