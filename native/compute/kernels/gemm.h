// The inner product block that everything heavy comes down to: C[m][n] += Σ_k A[m][k]·B[k][n], where A's
// values are broadcast (weights, row by row as they are stored) and B's are vectors along the columns
// (pixels, tokens).
#pragma once

#include "compute/kernels/steps.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

// A block of kRows×kColumns sums fills the register file but for a few; columns are two vectors wide.
#if defined(__AVX512F__)
inline constexpr size_t kRows = 12;
#elif defined(__aarch64__)
inline constexpr size_t kRows = 10;
#else
inline constexpr size_t kRows = 6;
#endif
inline constexpr size_t kColumns = 2 * kLanes;

/// Steps of k in one pass, at most: a panel of B then stays in the first-level cache while rows of A pass by.
inline constexpr size_t kDepth = 320;

inline constexpr size_t kLineValues = 64 / sizeof(float);

/// Row stride of a widened block of A: compile-time, so that rows are addressed by offsets; not a power of
/// two, so that rows fall into different cache sets.
inline constexpr size_t kBlockStride = kDepth + 16;

/// Where A's row m has step k.
template <size_t kStride>
struct RowMajor {
  const float* at;
  const float* operator()(size_t row, size_t k) const { return at + row * kStride + k; }
};

/// Sums kM rows by kN vectors over `depth` steps into `c`, onto what is there when `accumulate`. With each
/// step, a cache line from `ahead` on is asked for by whole blocks.
template <typename Steps, size_t kM, size_t kN, typename Rows>
inline void MultiplyBlock(const Rows a, const float* b, size_t b_stride, float* c, size_t c_stride,
                          size_t depth, bool accumulate, const float* ahead) {
  Vector sums[kM][kN];
#pragma GCC unroll 32
  for (size_t m = 0; m < kM; ++m) {
#pragma GCC unroll 4
    for (size_t n = 0; n < kN; ++n) sums[m][n] = Vector{};
  }
  for (size_t k = 0; k < depth; ++k) {
    if constexpr (kM == kRows && kN == 2) __builtin_prefetch(ahead + k * kLineValues);
    Vector values[kN];
#pragma GCC unroll 4
    for (size_t n = 0; n < kN; ++n) values[n] = Load(b + k * b_stride + n * kLanes);
#pragma GCC unroll 32
    for (size_t m = 0; m < kM; ++m) {
      const Vector weight = Steps::BroadcastStep(a(m, k));
#pragma GCC unroll 4
      for (size_t n = 0; n < kN; ++n) sums[m][n] = Steps::MultiplyAdd(weight, values[n], sums[m][n]);
    }
  }
#pragma GCC unroll 32
  for (size_t m = 0; m < kM; ++m) {
#pragma GCC unroll 4
    for (size_t n = 0; n < kN; ++n) {
      float* into = c + m * c_stride + n * kLanes;
      Store(into, accumulate ? sums[m][n] + Load(into) : sums[m][n]);
    }
  }
}

/// The rows left over after whole blocks.
template <typename Steps, size_t kM, size_t kN, typename Rows>
inline void MultiplyRest(size_t rows, const Rows a, const float* b, size_t b_stride, float* c,
                         size_t c_stride, size_t depth, bool accumulate) {
  if constexpr (kM > 0) {
    if (rows == kM) {
      MultiplyBlock<Steps, kM, kN>(a, b, b_stride, c, c_stride, depth, accumulate, b);
    } else {
      MultiplyRest<Steps, kM - 1, kN>(rows, a, b, b_stride, c, c_stride, depth, accumulate);
    }
  }
}

/// All rows of A against one panel of B, kColumns wide (or one vector, where `narrow`). The panel that
/// follows (null where there is none), which comes from a slower cache, is fetched meanwhile: too far away
/// for the processor to foresee it.
template <typename Steps, typename Advance>
inline void MultiplyPanel(size_t rows, const Advance& rows_from, const float* b, float* c, size_t c_stride,
                          size_t depth, bool accumulate, bool narrow, const float* next_b) {
  // Each block of rows fetches as many lines as it takes steps.
  const size_t fetching = kColumns / kLineValues * kRows;
  size_t m = 0;
  if (narrow) {
    for (; m + kRows <= rows; m += kRows) {
      MultiplyBlock<Steps, kRows, 1>(rows_from(m), b, kColumns, c + m * c_stride, c_stride, depth, accumulate,
                                     b);
    }
    MultiplyRest<Steps, kRows - 1, 1>(rows - m, rows_from(m), b, kColumns, c + m * c_stride, c_stride, depth,
                                      accumulate);
    return;
  }
  for (; m + kRows <= rows; m += kRows) {
    const bool fetches = next_b != nullptr && m < fetching;
    const float* ahead = fetches ? next_b + m / kRows * depth * kLineValues : b;
    MultiplyBlock<Steps, kRows, 2>(rows_from(m), b, kColumns, c + m * c_stride, c_stride, depth, accumulate,
                                   ahead);
  }
  MultiplyRest<Steps, kRows - 1, 2>(rows - m, rows_from(m), b, kColumns, c + m * c_stride, c_stride, depth,
                                    accumulate);
}

/// Rows of each block of `total` rows, at most `most`, such that all threads get as many blocks.
inline size_t EvenRows(size_t total, size_t most, size_t threads) {
  const size_t rounds = (total + most * threads - 1) / (most * threads);
  const size_t rows = (total + rounds * threads - 1) / (rounds * threads);
  // Sums of fewer than four rows don't keep the arithmetic units busy.
  const size_t rest = rows % kRows;
  const size_t rounded = rest == 0 || rest >= 4 ? rows : rows - rest + 4;
  return rounded < most ? rounded : most;
}

/// `total` steps in shares of at most `most` (a whole number of vectors), as even as possible: the size of
/// each but the last.
inline size_t EvenDepth(size_t total, size_t most) {
  const size_t shares = (total + most - 1) / most;
  const size_t even = (total + shares - 1) / shares;
  return (even + kLanes - 1) / kLanes * kLanes;
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
