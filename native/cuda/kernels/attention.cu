// Attention without a matrix of scores in memory (Dao, "FlashAttention-2"): a block holds 64 queries of a
// head, 16 a warp, and goes through the keys 64 at a time. For each block of keys, with m the largest score
// so far and l the sum of exp(score − m):
//   S = Q·Kᵀ · scale        m' = max(m, max S)        P = exp(S − m')
//   l = l · exp(m − m') + ΣP        O = O · exp(m − m') + P·V        and in the end O / l
// Scores stay in the registers that mma.sync left them in, which are those it wants P in. Rows in shared
// memory are 16 bytes longer than the head, so that the eight rows of a matrix lie in different banks.
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kQueries = 64;
constexpr int kKeys = 64;
constexpr int kThreads = kQueries / 16 * 32;
constexpr float kLog2E = 1.4426950408889634f;
/// Less than any score: no key was seen yet.
constexpr float kNothing = -1e30f;

template <int kWidth>
constexpr size_t SharedBytes() {
  return sizeof(uint16_t) * (kQueries + 2 * kKeys) * (kWidth + kVector);
}

/// Starts copies of 64 rows of a head; rows and columns beyond the end become 0.
template <typename T, int kWidth>
__device__ __forceinline__ void StartRows(const Matrix& from, int64_t first, int row, int rows, int column,
                                          int width, T* into) {
  constexpr int kChunks = kWidth / kVector;
  for (int i = threadIdx.x; i < kKeys * kChunks; i += kThreads) {
    const int r = i / kChunks;
    const int c = i % kChunks * kVector;
    const bool valid = row + r < rows && c < width;
    const T* source = static_cast<const T*>(from.data);
    if (valid) source += (first + row + r) * from.stride + column + c;
    CopyAsync(into + r * (kWidth + kVector) + c, source, valid ? 16 : 0);
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

template <typename T, int kWidth>
__global__ void __launch_bounds__(kThreads) AttentionKernel(const AttentionParameters p) {
  constexpr int kStride = kWidth + kVector;
  constexpr int kSteps = kWidth / 16;
  T* const queries = reinterpret_cast<T*>(DynamicShared());
  T* const keys = queries + kQueries * kStride;
  T* const values = keys + kKeys * kStride;
  const int first_query = static_cast<int>(blockIdx.x) * kQueries;
  const int head = static_cast<int>(blockIdx.y) % p.heads;
  const int64_t image = static_cast<int>(blockIdx.y) / p.heads;
  const int column = head * p.head_width;
  const int lane = LaneOf(threadIdx.x);
  const int warp_query = static_cast<int>(threadIdx.x) / 32 * 16;
  // Causal queries see no key beyond themselves.
  const int last_key = p.causal && first_query + kQueries < p.keys ? first_query + kQueries : p.keys;
  const int blocks = (last_key + kKeys - 1) / kKeys;

  StartRows<T, kWidth>(p.query, image * p.queries, first_query, p.queries, column, p.head_width, queries);
  StartRows<T, kWidth>(p.key, image * p.keys, 0, p.keys, column, p.head_width, keys);
  AwaitCopies<1>();
  __syncthreads();
  uint32_t q[kSteps][4];
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    LoadMatrices(q[step], queries + (warp_query + lane % 16) * kStride + step * 16 + lane / 16 * 8);
  }

  float o[kWidth / 8][4] = {};
  float most[2] = {kNothing, kNothing};
  float total[2] = {};
  const float scale = p.scale * kLog2E;
  for (int block = 0; block < blocks; ++block) {
    AwaitCopies<0>();
    // Keys are here, and the values of the block before are no longer read.
    __syncthreads();
    StartRows<T, kWidth>(p.value, image * p.keys, block * kKeys, p.keys, column, p.head_width, values);

    float s[kKeys / 8][4] = {};
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int j = 0; j < kKeys / 16; ++j) {
        uint32_t k[4];
        LoadMatrices(k, keys + (j * 16 + lane % 8 + lane / 16 * 8) * kStride + step * 16 + lane / 8 % 2 * 8);
        MmaM16N8K16<T>(s[2 * j], q[step], {k[0], k[1]});
        MmaM16N8K16<T>(s[2 * j + 1], q[step], {k[2], k[3]});
      }
    }

    const int query = first_query + warp_query + lane / 4;
    const bool masked = (block + 1) * kKeys > p.keys || (p.causal && (block + 1) * kKeys > first_query);
    float largest[2] = {most[0], most[1]};
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[j][i] *= scale;
        if (masked) {
          const int key = block * kKeys + j * 8 + lane % 4 * 2 + i % 2;
          if (key >= p.keys || (p.causal && key > query + i / 2 * 8)) s[j][i] = kNothing;
        }
        largest[i / 2] = fmaxf(largest[i / 2], s[j][i]);
      }
    }
    float kept[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      largest[r] = RowMax(largest[r]);
      kept[r] = Exp2(most[r] - largest[r]);
      most[r] = largest[r];
      total[r] *= kept[r];
    }
#pragma unroll
    for (int j = 0; j < kWidth / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) o[j][i] *= kept[i / 2];
    }
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[j][i] = Exp2(s[j][i] - most[i / 2]);
        total[i / 2] += s[j][i];
      }
    }

    AwaitCopies<0>();
    // Values are here, and the keys are no longer read.
    __syncthreads();
    if (block + 1 < blocks) {
      StartRows<T, kWidth>(p.key, image * p.keys, (block + 1) * kKeys, p.keys, column, p.head_width, keys);
    }
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

#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float inverse = 1.0f / RowSum(total[r]);
    const int query = first_query + warp_query + lane / 4 + r * 8;
    if (query >= p.queries) continue;
    T* const out = static_cast<T*>(p.out.data) + (image * p.queries + query) * p.out.stride + column;
#pragma unroll
    for (int j = 0; j < kWidth / 8; ++j) {
      const int c = j * 8 + lane % 4 * 2;
      if (c >= p.head_width) continue;
      *reinterpret_cast<uint32_t*>(out + c) = Pack<T>(o[j][2 * r] * inverse, o[j][2 * r + 1] * inverse);
    }
  }
}

template <typename T, int kWidth>
void LaunchWidth(const AttentionParameters& p, cudaStream_t stream) {
  const dim3 grid((p.queries + kQueries - 1) / kQueries, p.batch * p.heads);
  Launch<AttentionParameters>(AttentionKernel<T, kWidth>, grid, dim3(kThreads), SharedBytes<kWidth>(), stream,
                              p);
}

template <typename T>
void LaunchIn(const AttentionParameters& p, cudaStream_t stream) {
  if (p.head_width <= 32) return LaunchWidth<T, 32>(p, stream);
  if (p.head_width <= 48) return LaunchWidth<T, 48>(p, stream);
  if (p.head_width <= 64) return LaunchWidth<T, 64>(p, stream);
  if (p.head_width <= 80) return LaunchWidth<T, 80>(p, stream);
  if (p.head_width <= 128) return LaunchWidth<T, 128>(p, stream);
  return LaunchWidth<T, 160>(p, stream);
}

}  // namespace

bool AttentionFits(const AttentionParameters& parameters, size_t shared_bytes_per_block) {
  return parameters.head_width % kVector == 0 && parameters.head_width <= 160 &&
         SharedBytes<160>() <= shared_bytes_per_block;
}

void LaunchAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream) {
  if (precision == Precision::kF16) {
    LaunchIn<F16>(parameters, stream);
  } else {
    LaunchIn<BF16>(parameters, stream);
  }
}

}  // namespace latentd::cuda
