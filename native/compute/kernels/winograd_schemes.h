// The schemes of Winograd's transform for 3×3 kernels: F(m×m, 3×3) makes a tile of m×m results from (m + 2)²
// products where the direct sum has 9·m² (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2015, section 4.1). Both of its axes go by the same transforms, of vectors whose lanes are
// tiles, or channels for weights.
#pragma once

#include "compute/kernels/gemm.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Every second value of two vectors that follow each other.
inline void Deinterleave(Vector low, Vector high, Vector& even, Vector& odd) {
#if defined(__AVX512F__)
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX2__)
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7);
#endif
}

/// The inverse of Deinterleave.
inline void Interleave(Vector even, Vector odd, Vector& low, Vector& high) {
#if defined(__AVX512F__)
  low = __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  high = __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  low = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
  high = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
#endif
}

/// F(2×2, 3×3), from the points 0, ±1 and infinity.
struct SmallTiles {
  static constexpr size_t kTile = 2;
  static constexpr size_t kPatch = 4;
  static constexpr size_t kPositions = kPatch * kPatch;
  /// Weights that are transformed at a time when there are few tiles: rows, and input channels of them.
  static constexpr size_t kBlockRows = 3 * kRows;
  static constexpr size_t kBlockDepth = kDepth;
  static constexpr size_t kStride = kBlockStride;
  /// Transformed weights that are worth keeping through a call.
  static constexpr size_t kMostTransformed = 16 * 1024 * 1024;

  /// patch[i] takes value i of each tile's piece of a line.
  static void Split(const float* line, Vector patch[kPatch]) {
    Deinterleave(Load(line), Load(line + kLanes), patch[0], patch[1]);
    Deinterleave(Load(line + 2), Load(line + 2 + kLanes), patch[2], patch[3]);
  }

  /// The inverse of Split, of results.
  static void Join(const Vector pixels[kTile], float* line) {
    Vector low, high;
    Interleave(pixels[0], pixels[1], low, high);
    Store(line, low);
    Store(line + kLanes, high);
  }

  /// Bᵀ·d
  static void Input(const Vector d[kPatch], Vector into[kPatch]) {
    into[0] = d[0] - d[2];
    into[1] = d[1] + d[2];
    into[2] = d[2] - d[1];
    into[3] = d[1] - d[3];
  }

  /// G·g
  static void Weights(const Vector g[3], Vector into[kPatch]) {
    const Vector even = 0.5f * (g[0] + g[2]);
    const Vector odd = 0.5f * g[1];
    into[0] = g[0];
    into[1] = even + odd;
    into[2] = even - odd;
    into[3] = g[2];
  }

  /// Aᵀ·m
  static void Sums(const Vector m[kPatch], Vector into[kTile]) {
    into[0] = m[0] + m[1] + m[2];
    into[1] = m[1] - m[2] - m[3];
  }
};

/// F(4×4, 3×3), from the points 0, ±5/8, ±3/2 and infinity. The usual 0, ±1, ±2 and infinity make twice the
/// error; these are near the best of what is exact in few bits (Barabasz, Anderson, Soodhalter and Gregg,
/// "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020, on the
/// choice of points).
struct LargeTiles {
  static constexpr size_t kTile = 4;
  static constexpr size_t kPatch = 6;
  static constexpr size_t kPositions = kPatch * kPatch;
  static constexpr size_t kBlockRows = 2 * kRows;
  static constexpr size_t kBlockDepth = kDepth / 2;
  static constexpr size_t kStride = kBlockDepth + 16;
  static constexpr size_t kMostTransformed = 8 * 1024 * 1024;

  static void Split(const float* line, Vector patch[kPatch]) {
    Fourths(line, patch[0], patch[1], patch[2], patch[3]);
    Vector rest[2];
    Fourths(line + 4, patch[4], patch[5], rest[0], rest[1]);
  }

  static void Join(const Vector pixels[kTile], float* line) {
    Vector even[2], odd[2], joined[4];
    Interleave(pixels[0], pixels[2], even[0], even[1]);
    Interleave(pixels[1], pixels[3], odd[0], odd[1]);
    Interleave(even[0], odd[0], joined[0], joined[1]);
    Interleave(even[1], odd[1], joined[2], joined[3]);
    for (size_t i = 0; i < 4; ++i) Store(line + i * kLanes, joined[i]);
  }

  static void Input(const Vector d[kPatch], Vector into[kPatch]) {
    const Vector near_even = d[4] - kB2 * d[2];
    const Vector near_odd = kA * d[3] - kA * kB2 * d[1];
    const Vector far_even = d[4] - kA2 * d[2];
    const Vector far_odd = kB * d[3] - kB * kA2 * d[1];
    into[0] = kA2 * kB2 * d[0] - (kA2 + kB2) * d[2] + d[4];
    into[1] = near_even + near_odd;
    into[2] = near_even - near_odd;
    into[3] = far_even + far_odd;
    into[4] = far_even - far_odd;
    into[5] = kA2 * kB2 * d[1] - (kA2 + kB2) * d[3] + d[5];
  }

  static void Weights(const Vector g[3], Vector into[kPatch]) {
    constexpr float kNear = 1 / (2 * kA2 * (kA2 - kB2));
    constexpr float kFar = 1 / (2 * kB2 * (kB2 - kA2));
    const Vector near_even = kNear * g[0] + kNear * kA2 * g[2];
    const Vector near_odd = kNear * kA * g[1];
    const Vector far_even = kFar * g[0] + kFar * kB2 * g[2];
    const Vector far_odd = kFar * kB * g[1];
    into[0] = 1 / (kA2 * kB2) * g[0];
    into[1] = near_even + near_odd;
    into[2] = near_even - near_odd;
    into[3] = far_even + far_odd;
    into[4] = far_even - far_odd;
    into[5] = g[2];
  }

  static void Sums(const Vector m[kPatch], Vector into[kTile]) {
    const Vector near_even = m[1] + m[2];
    const Vector near_odd = m[1] - m[2];
    const Vector far_even = m[3] + m[4];
    const Vector far_odd = m[3] - m[4];
    into[0] = m[0] + near_even + far_even;
    into[1] = kA * near_odd + kB * far_odd;
    into[2] = kA2 * near_even + kB2 * far_even;
    into[3] = kA2 * kA * near_odd + kB2 * kB * far_odd + m[5];
  }

 private:
  static constexpr float kA = 0.625f;
  static constexpr float kB = 1.5f;
  static constexpr float kA2 = kA * kA;
  static constexpr float kB2 = kB * kB;

  /// Every fourth value of four vectors that follow each other.
  static void Fourths(const float* from, Vector& first, Vector& second, Vector& third, Vector& fourth) {
    Vector even[2], odd[2];
    Deinterleave(Load(from), Load(from + kLanes), even[0], odd[0]);
    Deinterleave(Load(from + 2 * kLanes), Load(from + 3 * kLanes), even[1], odd[1]);
    Deinterleave(even[0], even[1], first, third);
    Deinterleave(odd[0], odd[1], second, fourth);
  }
};

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
