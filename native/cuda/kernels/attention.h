// What the attention kernels have in common: rows on their way into shared memory, and a softmax whose keys
// come block by block. With m the largest score so far and l the sum of exp(score − m):
//   S = Q·Kᵀ · scale        m' = max(m, max S)        P = exp(S − m')
//   l = l · exp(m − m') + ΣP        O = O · exp(m − m') + P·V        and in the end O / l
// (Dao, "FlashAttention-2").
#pragma once

#include "cuda/kernels/kernels.h"
#include "cuda/primitives.h"

namespace latentd::cuda {

constexpr float kLog2E = 1.4426950408889634f;
/// No key was seen yet. Where no score is greater, exponentials are NaN, as torch's are.
constexpr float kNothing = -INFINITY;

/// Rows in shared memory are 16 bytes longer than the head, so that the eight rows of a matrix lie in
/// different banks.
template <int kWidth>
constexpr int kPaddedRow = kWidth + kVector;

/// Starts copies of kRows rows of a head by kThreads threads; rows and columns beyond the end become 0.
template <typename T, int kWidth, int kRows, int kThreads>
__device__ __forceinline__ void StartRows(const Matrix& from, int64_t first, int row, int rows, int column,
                                          int width, T* into) {
  constexpr int kChunks = kWidth / kVector;
  for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
    const int r = i / kChunks;
    const int c = i % kChunks * kVector;
    const bool valid = row + r < rows && c < width;
    const T* source = static_cast<const T*>(from.data);
    if (valid) source += (first + row + r) * from.stride + column + c;
    CopyAsync(into + r * kPaddedRow<kWidth> + c, source, valid ? 16 : 0);
  }
  CommitCopies();
}

/// The largest, and the sum, over the four lanes that share a row.
__device__ __forceinline__ float RowMax(float value) {
  value = fmaxf(value, ShuffleXor(value, 1));
  return fmaxf(value, ShuffleXor(value, 2));
}
__device__ __forceinline__ float RowSum(float value) {
  value += ShuffleXor(value, 1);
  return value + ShuffleXor(value, 2);
}

/// A thread's part of two rows' softmax, `lane / 4` and eight further down, as mma.sync leaves scores.
struct RunningSoftmax {
  float most[2] = {kNothing, kNothing};
  float total[2] = {};

  /// Makes scores of the keys from `first_key` on shares, and gives what earlier results are to be multiplied
  /// with. `query` is the number of the thread's first row.
  template <int kTiles>
  __device__ __forceinline__ void Take(const AttentionParameters& p, int first_key, int query,
                                       float (&s)[kTiles][4], float (&kept)[2]) {
    const float scale = p.scale * kLog2E;
    const bool masked = first_key + kTiles * 8 > p.keys || p.causal;
    float largest[2] = {most[0], most[1]};
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[j][i] *= scale;
        if (masked) {
          const int key = first_key + j * 8 + LaneOf(threadIdx.x) % 4 * 2 + i % 2;
          if (key >= p.keys) s[j][i] = kNothing;
          // What is no number stays so, as where a mask of −∞ is added to it.
          if (p.causal && key > query + i / 2 * 8) s[j][i] += kNothing;
        }
        largest[i / 2] = fmaxf(largest[i / 2], s[j][i]);
      }
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      largest[r] = RowMax(largest[r]);
      kept[r] = Exp2(most[r] - largest[r]);
      most[r] = largest[r];
      total[r] *= kept[r];
    }
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[j][i] = Exp2(s[j][i] - most[i / 2]);
        total[i / 2] += s[j][i];
      }
    }
  }
};

/// o += shares · values, for 16 queries of a warp, kKeys rows of values and kWidth columns of them.
template <typename T, int kKeys, int kWidth, int kStride>
__device__ __forceinline__ void AddValues(const float (&s)[kKeys / 8][4], const T* values,
                                          float (&o)[kWidth / 8][4]) {
  const int lane = LaneOf(threadIdx.x);
#pragma unroll
  for (int step = 0; step < kKeys / 16; ++step) {
    const uint32_t shares[4] = {
        Pack<T>(s[2 * step][0], s[2 * step][1]), Pack<T>(s[2 * step][2], s[2 * step][3]),
        Pack<T>(s[2 * step + 1][0], s[2 * step + 1][1]), Pack<T>(s[2 * step + 1][2], s[2 * step + 1][3])};
#pragma unroll
    for (int j = 0; j < kWidth / 16; ++j) {
      uint32_t v[4];
      LoadMatricesTransposed(
          v, values + (step * 16 + lane % 8 + lane / 8 % 2 * 8) * kStride + j * 16 + lane / 16 * 8);
      MmaM16N8K16<T>(o[2 * j], shares, {v[0], v[1]});
      MmaM16N8K16<T>(o[2 * j + 1], shares, {v[2], v[3]});
    }
  }
}

/// s += queries · keysᵀ, for 16 queries of a warp and kKeys rows of keys, kWidth columns of both.
template <typename T, int kKeys, int kWidth, int kStride>
__device__ __forceinline__ void AddScores(const uint32_t (&q)[kWidth / 16][4], const T* keys,
                                          float (&s)[kKeys / 8][4]) {
  const int lane = LaneOf(threadIdx.x);
#pragma unroll
  for (int step = 0; step < kWidth / 16; ++step) {
#pragma unroll
    for (int j = 0; j < kKeys / 16; ++j) {
      uint32_t k[4];
      LoadMatrices(k, keys + (j * 16 + lane % 8 + lane / 16 * 8) * kStride + step * 16 + lane / 8 % 2 * 8);
      MmaM16N8K16<T>(s[2 * j], q[step], {k[0], k[1]});
      MmaM16N8K16<T>(s[2 * j + 1], q[step], {k[2], k[3]});
    }
  }
}

/// Writes two rows of 16 queries of a warp, kWidth columns from `column` on of which those before `end`
/// exist.
template <typename T, int kWidth>
__device__ __forceinline__ void WriteRows(const AttentionParameters& p, int64_t image, int query, int column,
                                          int end, const RunningSoftmax& softmax, float (&o)[kWidth / 8][4]) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float inverse = 1.0f / RowSum(softmax.total[r]);
    const int row = query + r * 8;
    if (row >= p.queries) continue;
    T* const out = static_cast<T*>(p.out.data) + (image * p.queries + row) * p.out.stride;
#pragma unroll
    for (int j = 0; j < kWidth / 8; ++j) {
      const int c = column + j * 8 + LaneOf(threadIdx.x) % 4 * 2;
      if (c >= end) continue;
      *reinterpret_cast<uint32_t*>(out + c) = Pack<T>(o[j][2 * r] * inverse, o[j][2 * r + 1] * inverse);
    }
  }
}

template <int kTiles>
__device__ __forceinline__ void ScaleRows(const float (&kept)[2], float (&o)[kTiles][4]) {
#pragma unroll
  for (int j = 0; j < kTiles; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) o[j][i] *= kept[i / 2];
  }
}

/// How many blocks of kKeys keys a block of queries sees, `end` being the number after its last.
template <int kKeys>
__device__ __forceinline__ int KeyBlocks(const AttentionParameters& p, int end) {
  const int last = p.causal && end < p.keys ? end : p.keys;
  return (last + kKeys - 1) / kKeys;
}

}  // namespace latentd::cuda
