// The weights' side of Winograd's transform: U = G·g·Gᵀ, made from the stored 3×3 kernels block by block.
#pragma once

#include "separate_taps.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline constexpr size_t kWinogradBlockRows = 3 * kRows;

/// Where transformed weights go: position p, row m, channel i at values[p·position_stride + m·kBlockStride +
/// i].
struct TransformedRows {
  float* values;
  size_t position_stride;

  float* At(size_t position, size_t row) const {
    return values + position * position_stride + row * kBlockStride;
  }
};

/// Transforms input channels [k, k + depth) of rows [first, first + rows) to rows [0, rows) of `into`.
inline void TransformWeights(const StoredMatrix& weight, size_t inputs, size_t first, size_t rows, size_t k,
                             size_t depth, const TransformedRows& into) {
  alignas(64) float taps[9 * kBlockStride];
  const size_t kernel_size = 9 * ValueSize(weight.dtype);
  for (size_t row = 0; row < rows; ++row) {
    SeparateTaps(weight.data + ((first + row) * inputs + k) * kernel_size, weight.dtype, depth, taps);
    for (size_t i = 0; i < depth; i += kLanes) {
      Vector half[4][3];
#pragma GCC unroll 3
      for (size_t x = 0; x < 3; ++x) {
        const Vector g0 = Load(taps + x * kBlockStride + i);
        const Vector g1 = Load(taps + (3 + x) * kBlockStride + i);
        const Vector g2 = Load(taps + (6 + x) * kBlockStride + i);
        half[0][x] = g0;
        half[1][x] = 0.5f * (g0 + g2) + 0.5f * g1;
        half[2][x] = 0.5f * (g0 + g2) - 0.5f * g1;
        half[3][x] = g2;
      }
#pragma GCC unroll 4
      for (size_t y = 0; y < 4; ++y) {
        const Vector even = 0.5f * (half[y][0] + half[y][2]);
        const Vector odd = 0.5f * half[y][1];
        Store(into.At(y * 4, row) + i, half[y][0]);
        Store(into.At(y * 4 + 1, row) + i, even + odd);
        Store(into.At(y * 4 + 2, row) + i, even - odd);
        Store(into.At(y * 4 + 3, row) + i, half[y][2]);
      }
    }
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
