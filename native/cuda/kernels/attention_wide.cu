// Attention of wide heads, the autoencoder's single one of 512 channels: what 64 queries sum up, 64 × 512
// numbers, fills the registers of eight warps. Warps come in pairs that share 16 queries, and each of a pair
// has half of the head's channels, of queries and of results alike. So each finds a part of every score; the
// parts meet in shared memory, and both then hold the same shares. Keys come 32 at a time; they and their
// values lie in 81 KiB, which every card since 8.0 has for a block, because queries stay in registers.
#include "cuda/kernels/attention.h"
#include "cuda/launch.h"

namespace latentd::cuda {
namespace {

constexpr int kQueries = 64;
constexpr int kKeys = 32;
constexpr int kHalves = 2;
constexpr int kWarps = kQueries / 16 * kHalves;
constexpr int kThreads = kWarps * 32;
/// Scores that a thread has a part of.
constexpr int kScores = kKeys / 8 * 4;

template <int kWidth>
constexpr size_t SharedBytes() {
  return sizeof(uint16_t) * 2 * kKeys * kPaddedRow<kWidth> + sizeof(float) * kScores * kThreads;
}

template <typename T, int kWidth>
__global__ void __launch_bounds__(kThreads) WideAttentionKernel(const AttentionParameters p) {
  constexpr int kStride = kPaddedRow<kWidth>;
  constexpr int kHalf = kWidth / kHalves;
  const int column = static_cast<int>(blockIdx.y) % p.heads * p.head_width;
  const auto start = [&](const Matrix& from, int64_t first, int row, int rows, T* into) {
    StartRows<T, kWidth, kKeys, kThreads>(from, first, row, rows, column, p.head_width, into);
  };
  T* const keys = reinterpret_cast<T*>(DynamicShared());
  T* const values = keys + kKeys * kStride;
  float* const parts = reinterpret_cast<float*>(values + kKeys * kStride);
  const int first_query = static_cast<int>(blockIdx.x) * kQueries;
  const int64_t image = static_cast<int>(blockIdx.y) / p.heads;
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = LaneOf(thread);
  const int warp_query = thread / 32 / kHalves * 16;
  const int half = thread / 32 % kHalves * kHalf;
  const int query = first_query + warp_query + lane / 4;
  const int blocks = KeyBlocks<kKeys>(p, first_query + kQueries);

  // Queries pass through the place of keys and values, which lie one behind the other.
  static_assert(kQueries == 2 * kKeys);
  start(p.query, image * p.queries, first_query, p.queries, keys);
  start(p.query, image * p.queries, first_query + kKeys, p.queries, values);
  AwaitCopies<0>();
  __syncthreads();
  uint32_t q[kHalf / 16][4];
#pragma unroll
  for (int step = 0; step < kHalf / 16; ++step) {
    LoadMatrices(q[step], keys + (warp_query + lane % 16) * kStride + half + step * 16 + lane / 16 * 8);
  }
  __syncthreads();
  start(p.key, image * p.keys, 0, p.keys, keys);

  float o[kHalf / 8][4] = {};
  RunningSoftmax softmax;
  for (int block = 0; block < blocks; ++block) {
    AwaitCopies<0>();
    // Keys are here; the values and the parts of the block before are no longer read.
    __syncthreads();
    start(p.value, image * p.keys, block * kKeys, p.keys, values);
    float s[kKeys / 8][4] = {};
    AddScores<T, kKeys, kHalf, kStride>(q, keys + half, s);
#pragma unroll
    for (int i = 0; i < kScores; ++i) parts[i * kThreads + thread] = s[i / 4][i % 4];

    AwaitCopies<0>();
    // Values and all parts are here, and the keys are no longer read.
    __syncthreads();
    if (block + 1 < blocks) start(p.key, image * p.keys, (block + 1) * kKeys, p.keys, keys);
#pragma unroll
    for (int i = 0; i < kScores; ++i) s[i / 4][i % 4] += parts[i * kThreads + (thread ^ 32)];
    float kept[2];
    softmax.Take(p, block * kKeys, query, s, kept);
    ScaleRows(kept, o);
    AddValues<T, kKeys, kHalf, kStride>(s, values + half, o);
  }
  WriteRows<T, kHalf>(p, image, query, column + half, column + p.head_width, softmax, o);
}

template <typename T, int kWidth>
void LaunchWidth(const AttentionParameters& p, cudaStream_t stream) {
  const dim3 grid((p.queries + kQueries - 1) / kQueries, p.batch * p.heads);
  Launch<AttentionParameters>(WideAttentionKernel<T, kWidth>, grid, dim3(kThreads), SharedBytes<kWidth>(),
                              stream, p);
}

template <typename T>
void LaunchIn(const AttentionParameters& p, cudaStream_t stream) {
  if (p.head_width <= 256) return LaunchWidth<T, 256>(p, stream);
  return LaunchWidth<T, kWideHead>(p, stream);
}

}  // namespace

bool WideAttentionFits(const AttentionParameters& parameters, size_t shared_bytes_per_block) {
  return parameters.head_width <= kWideHead && SharedBytes<kWideHead>() <= shared_bytes_per_block;
}

void LaunchWideAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream) {
  if (precision == Precision::kF16) {
    LaunchIn<F16>(parameters, stream);
  } else {
    LaunchIn<BF16>(parameters, stream);
  }
}

}  // namespace latentd::cuda
