// What FreeU asks of whole pictures of features.
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

/// The mean over a pixel's columns, in all lanes of the warp.
template <typename T>
__device__ __forceinline__ float MeanOf(const MapParameters& p, int64_t row) {
  const T* const values = static_cast<const T*>(p.x.data) + row * p.x.stride;
  float sum = 0;
  for (int c = LaneOf(threadIdx.x); c < p.x.columns; c += 32) sum += ToFloat(values[c]);
  return WarpSum(sum) / static_cast<float>(p.x.columns);
}

/// NaN where either is, unlike fminf.
__device__ __forceinline__ float Least(float a, float b) { return b < a || b != b ? b : a; }

/// A block a picture, which it reads twice: for the least and the greatest mean, and for the results.
template <typename T>
__global__ void __launch_bounds__(kThreads) MeanMapKernel(const MapParameters p) {
  float* const ends = reinterpret_cast<float*>(DynamicShared());
  const int pixels = p.height * p.width;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * pixels;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  float least = INFINITY, greatest = -INFINITY;
  for (int pixel = warp; pixel < pixels; pixel += kWarps) {
    const float mean = MeanOf<T>(p, first + pixel);
    least = Least(least, mean);
    greatest = -Least(-greatest, -mean);
  }
  ends[warp] = least;
  ends[kWarps + warp] = greatest;
  __syncthreads();
  for (int w = 0; w < kWarps; ++w) {
    least = Least(least, ends[w]);
    greatest = -Least(-greatest, -ends[kWarps + w]);
  }
  for (int pixel = warp; pixel < pixels; pixel += kWarps) {
    const float mean = MeanOf<T>(p, first + pixel);
    T* const out = static_cast<T*>(p.out.data) + (first + pixel) * p.out.stride;
    // The lanes of a whole vector: the result, and zeros behind it.
    const int lane = LaneOf(threadIdx.x);
    if (lane < kVector) Store(lane == 0 ? (mean - least) / (greatest - least) : 0.0f, out[lane]);
  }
}

/// The modes 0 and −1 of both axes, as cosine and sine of a pixel's place.
constexpr int kModes = 4;

struct Waves {
  float cosine[kModes], sine[kModes];
};

__device__ __forceinline__ Waves WavesAt(const MapParameters& p, int pixel) {
  // exp(−2πi·(−1)·y/height) is the wave of mode −1.
  const float y = 2.0f * static_cast<float>(pixel / p.width) / static_cast<float>(p.height);
  const float x = 2.0f * static_cast<float>(pixel % p.width) / static_cast<float>(p.width);
  const float cy = CosinePi(y), sy = SinePi(y), cx = CosinePi(x), sx = SinePi(x);
  return {{1, cy, cx, cy * cx - sy * sx}, {0, sy, sx, sy * cx + cy * sx}};
}

/// Along an axis of one pixel both modes are one.
__device__ __forceinline__ bool Exists(const MapParameters& p, int mode) {
  return (mode % 2 == 0 || p.height > 1) && (mode < 2 || p.width > 1);
}

/// x + (factor − 1) · what the modes are of x: a block for eight columns of a picture, which it reads twice.
template <typename T>
__global__ void __launch_bounds__(kThreads) LowFrequenciesKernel(const MapParameters p) {
  float* const parts = reinterpret_cast<float*>(DynamicShared());
  constexpr int kSums = kModes * 2 * kVector;
  const int pixels = p.height * p.width;
  const int64_t first = static_cast<int64_t>(blockIdx.y) * pixels;
  const int column = static_cast<int>(blockIdx.x) * kVector;
  const T* const x = static_cast<const T*>(p.x.data) + first * p.x.stride + column;
  float sums[kSums] = {};
  for (int pixel = threadIdx.x; pixel < pixels; pixel += kThreads) {
    const Waves waves = WavesAt(p, pixel);
    float values[kVector];
    LoadVector(x + pixel * p.x.stride, values);
#pragma unroll
    for (int m = 0; m < kModes; ++m) {
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        sums[(2 * m) * kVector + i] += values[i] * waves.cosine[m];
        sums[(2 * m + 1) * kVector + i] += values[i] * waves.sine[m];
      }
    }
  }
#pragma unroll
  for (int s = 0; s < kSums; ++s) {
    const float sum = WarpSum(sums[s]);
    if (LaneOf(threadIdx.x) == 0) parts[static_cast<int>(threadIdx.x) / 32 * kSums + s] = sum;
  }
  __syncthreads();
  const float share = (p.factor - 1) / static_cast<float>(pixels);
#pragma unroll
  for (int s = 0; s < kSums; ++s) {
    sums[s] = 0;
    for (int w = 0; w < kWarps; ++w) sums[s] += parts[w * kSums + s];
    sums[s] *= Exists(p, s / (2 * kVector)) ? share : 0;
  }
  T* const out = static_cast<T*>(p.out.data) + first * p.out.stride + column;
  for (int pixel = threadIdx.x; pixel < pixels; pixel += kThreads) {
    const Waves waves = WavesAt(p, pixel);
    float values[kVector];
    LoadVector(x + pixel * p.x.stride, values);
#pragma unroll
    for (int m = 0; m < kModes; ++m) {
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        values[i] +=
            sums[(2 * m) * kVector + i] * waves.cosine[m] + sums[(2 * m + 1) * kVector + i] * waves.sine[m];
      }
    }
    StoreVector(values, out + pixel * p.out.stride);
  }
}

}  // namespace

void LaunchMeanMap(Precision precision, const MapParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? MeanMapKernel<F16> : MeanMapKernel<BF16>;
  Launch<MapParameters>(kernel, dim3(static_cast<unsigned>(p.batch)), dim3(kThreads),
                        sizeof(float) * 2 * kWarps, stream, p);
}

void LaunchLowFrequencies(Precision precision, const MapParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? LowFrequenciesKernel<F16> : LowFrequenciesKernel<BF16>;
  const dim3 grid(static_cast<unsigned>((p.x.columns + kVector - 1) / kVector),
                  static_cast<unsigned>(p.batch));
  Launch<MapParameters>(kernel, grid, dim3(kThreads), sizeof(float) * kWarps * kModes * 2 * kVector, stream,
                        p);
}

}  // namespace latentd::cuda
