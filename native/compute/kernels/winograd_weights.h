// The weights' side of Winograd's transform: U = G·g·Gᵀ, made from the stored 3×3 kernels block by block.
#pragma once

#include "compute/kernels/separate_taps.h"
#include "compute/kernels/winograd_schemes.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Where transformed weights go: position p, row m, channel i at values[p·position_stride + m·kStride + i].
template <typename Scheme>
struct TransformedRows {
  float* values;
  size_t position_stride;

  float* At(size_t position, size_t row) const {
    return values + position * position_stride + row * Scheme::kStride;
  }
};

/// Transforms input channels [k, k + depth) of rows [first, first + rows) to rows [0, rows) of `into`.
template <typename Scheme>
inline void TransformWeights(const StoredMatrix& weight, size_t inputs, size_t first, size_t rows, size_t k,
                             size_t depth, const TransformedRows<Scheme>& into) {
  alignas(64) float taps[9 * kBlockStride];
  for (size_t row = 0; row < rows; ++row) {
    SeparateTaps(weight, ((first + row) * inputs + k) * 9, depth, taps);
    for (size_t i = 0; i < depth; i += kLanes) {
      Vector half[Scheme::kPatch][3];
#pragma GCC unroll 3
      for (size_t x = 0; x < 3; ++x) {
        Vector column[3], results[Scheme::kPatch];
#pragma GCC unroll 3
        for (size_t y = 0; y < 3; ++y) column[y] = Load(taps + (y * 3 + x) * kBlockStride + i);
        Scheme::Weights(column, results);
#pragma GCC unroll 6
        for (size_t y = 0; y < Scheme::kPatch; ++y) half[y][x] = results[y];
      }
#pragma GCC unroll 6
      for (size_t y = 0; y < Scheme::kPatch; ++y) {
        Vector results[Scheme::kPatch];
        Scheme::Weights(half[y], results);
#pragma GCC unroll 6
        for (size_t x = 0; x < Scheme::kPatch; ++x) {
          Store(into.At(y * Scheme::kPatch + x, row) + i, results[x]);
        }
      }
    }
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
