// Attention without a matrix of scores in memory, for heads of up to 160 channels: a block holds 64 queries
// of a head, 16 a warp, and goes through the keys 64 at a time. Scores stay in the registers that mma.sync
// left them in, which are those it wants shares in.
#include "cuda/kernels/attention.h"
#include "cuda/launch.h"

namespace latentd::cuda {
namespace {

constexpr int kQueries = 64;
constexpr int kKeys = 64;
constexpr int kThreads = kQueries / 16 * 32;

template <int kWidth>
constexpr size_t SharedBytes() {
  return sizeof(uint16_t) * (kQueries + 2 * kKeys) * kPaddedRow<kWidth>;
}

template <typename T, int kWidth>
__global__ void __launch_bounds__(kThreads) AttentionKernel(const AttentionParameters p) {
  constexpr int kStride = kPaddedRow<kWidth>;
  constexpr int kSteps = kWidth / 16;
  const auto start = [&](const Matrix& from, int64_t first, int row, int rows, T* into) {
    const int column = static_cast<int>(blockIdx.y) % p.heads * p.head_width;
    StartRows<T, kWidth, kKeys, kThreads>(from, first, row, rows, column, p.head_width, into);
  };
  T* const queries = reinterpret_cast<T*>(DynamicShared());
  T* const keys = queries + kQueries * kStride;
  T* const values = keys + kKeys * kStride;
  const int first_query = static_cast<int>(blockIdx.x) * kQueries;
  const int64_t image = static_cast<int>(blockIdx.y) / p.heads;
  const int lane = LaneOf(threadIdx.x);
  const int warp_query = static_cast<int>(threadIdx.x) / 32 * 16;
  const int query = first_query + warp_query + lane / 4;
  const int blocks = KeyBlocks<kKeys>(p, first_query + kQueries);

  start(p.query, image * p.queries, first_query, p.queries, queries);
  start(p.key, image * p.keys, 0, p.keys, keys);
  AwaitCopies<1>();
  __syncthreads();
  uint32_t q[kSteps][4];
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    LoadMatrices(q[step], queries + (warp_query + lane % 16) * kStride + step * 16 + lane / 16 * 8);
  }

  float o[kWidth / 8][4] = {};
  RunningSoftmax softmax;
  for (int block = 0; block < blocks; ++block) {
    AwaitCopies<0>();
    // Keys are here, and the values of the block before are no longer read.
    __syncthreads();
    start(p.value, image * p.keys, block * kKeys, p.keys, values);
    float s[kKeys / 8][4] = {};
    AddScores<T, kKeys, kWidth, kStride>(q, keys, s);
    float kept[2];
    softmax.Take(p, block * kKeys, query, s, kept);
    ScaleRows(kept, o);

    AwaitCopies<0>();
    // Values are here, and the keys are no longer read.
    __syncthreads();
    if (block + 1 < blocks) start(p.key, image * p.keys, (block + 1) * kKeys, p.keys, keys);
    AddValues<T, kKeys, kWidth, kStride>(s, values, o);
  }
  const int column = static_cast<int>(blockIdx.y) % p.heads * p.head_width;
  WriteRows<T, kWidth>(p, image, query, column, column + p.head_width, softmax, o);
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

bool AttentionFits(const AttentionParameters& p, size_t shared_bytes_per_block) {
  if (p.head_width % kVector != 0) return false;
  if (p.head_width > kNarrowHead) return WideAttentionFits(p, shared_bytes_per_block);
  return SharedBytes<kNarrowHead>() <= shared_bytes_per_block;
}

void LaunchAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream) {
  if (parameters.head_width > kNarrowHead) return LaunchWideAttention(precision, parameters, stream);
  if (precision == Precision::kF16) {
    LaunchIn<F16>(parameters, stream);
  } else {
    LaunchIn<BF16>(parameters, stream);
  }
}

}  // namespace latentd::cuda
