// The kernels' plain twins: one thread a result, no shared memory, no tensor cores. They are what the fast
// ones are compared with, and attention's also serves the heads that the fast ones have no shape for.
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kThreads = 128;

template <typename T>
__device__ __forceinline__ float Read(const Matrix& matrix, int64_t row, int column) {
  return ToFloat(static_cast<const T*>(matrix.data)[row * matrix.stride + column]);
}

template <typename T>
__device__ __forceinline__ void Write(const Matrix& matrix, int64_t row, int column, float value) {
  Store(value, static_cast<T*>(matrix.data)[row * matrix.stride + column]);
}

__device__ __forceinline__ int64_t Index() {
  return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

/// Σk x[row][k] · weight[output][k]
template <typename T>
__device__ float Sum(const ProductParameters& p, int row, int output) {
  const T* const weight = static_cast<const T*>(p.weight) + static_cast<int64_t>(output) * p.inner;
  float sum = p.bias == nullptr ? 0.0f : p.bias[output];
  if (p.window.kernel_height == 0) {
    for (int k = 0; k < p.inner; ++k) sum += Read<T>(p.x, row, k) * ToFloat(weight[k]);
    return sum;
  }
  const Window& w = p.window;
  const int plane = w.out_height * w.out_width;
  for (int ky = 0; ky < w.kernel_height; ++ky) {
    for (int kx = 0; kx < w.kernel_width; ++kx) {
      const int y = row % plane / w.out_width * w.stride - w.top + ky;
      const int x = row % w.out_width * w.stride - w.left + kx;
      if (y < 0 || y >= w.height || x < 0 || x >= w.width) continue;
      const int64_t pixel =
          (static_cast<int64_t>(row / plane) * w.stored_height + (y >> w.shift_y)) * w.stored_width +
          (x >> w.shift_x);
      const T* const tap = weight + (ky * w.kernel_width + kx) * w.channels;
      for (int c = 0; c < w.channels; ++c) sum += Read<T>(p.x, pixel, c) * ToFloat(tap[c]);
    }
  }
  return sum;
}

template <typename T>
__global__ void __launch_bounds__(kThreads) PlainProductKernel(const ProductParameters p) {
  const bool pairs = p.activation == Activation::kGeglu;
  const int columns = pairs ? p.outputs / 2 : p.outputs;
  if (Index() >= static_cast<int64_t>(p.out.rows) * columns) return;
  const int row = static_cast<int>(Index() / columns);
  const int column = static_cast<int>(Index() % columns);
  if (pairs) {
    Write<T>(p.out, row, column, Sum<T>(p, row, 2 * column) * Gelu(Sum<T>(p, row, 2 * column + 1)));
    return;
  }
  float value = Sum<T>(p, row, column);
  if (p.sums.data != nullptr) value += Read<T>(p.sums, row / p.rows_per_sum, column);
  value = Apply(p.activation, value);
  if (p.residual.data != nullptr) value += Read<T>(p.residual, row, column);
  Write<T>(p.out, row, column, value);
}

/// A thread a query and head, with a running maximum and sum.
template <typename T>
__global__ void __launch_bounds__(kThreads) PlainAttentionKernel(const AttentionParameters p) {
  if (Index() >= static_cast<int64_t>(p.out.rows) * p.heads) return;
  const int row = static_cast<int>(Index() / p.heads);
  const int first = static_cast<int>(Index() % p.heads) * p.head_width;
  const int image = row / p.queries;
  const int seen = p.causal && row % p.queries + 1 < p.keys ? row % p.queries + 1 : p.keys;
  const auto score = [&](int key) {
    float sum = 0;
    for (int c = first; c < first + p.head_width; ++c) {
      sum += Read<T>(p.query, row, c) * Read<T>(p.key, static_cast<int64_t>(image) * p.keys + key, c);
    }
    return sum * p.scale;
  };
  float most = score(0);
  for (int key = 1; key < seen; ++key) {
    const float next = score(key);
    most = next > most ? next : most;
  }
  constexpr int kAtOnce = 32;
  for (int part = 0; part < p.head_width; part += kAtOnce) {
    const int width = p.head_width - part < kAtOnce ? p.head_width - part : kAtOnce;
    float sums[kAtOnce] = {};
    float total = 0;
    for (int key = 0; key < seen; ++key) {
      const float share = Exp(score(key) - most);
      total += share;
      for (int c = 0; c < width; ++c) {
        sums[c] += share * Read<T>(p.value, static_cast<int64_t>(image) * p.keys + key, first + part + c);
      }
    }
    for (int c = 0; c < width; ++c) Write<T>(p.out, row, first + part + c, sums[c] / total);
  }
}

/// A thread a group of an image, in two passes.
template <typename T>
__global__ void __launch_bounds__(kThreads) PlainGroupNormKernel(const GroupNormParameters p) {
  if (Index() >= static_cast<int64_t>(p.batch) * p.groups) return;
  const int64_t first = Index() / p.groups * p.pixels;
  const int width = p.x.columns / p.groups;
  const int channel = static_cast<int>(Index() % p.groups) * width;
  const float count = static_cast<float>(width) * static_cast<float>(p.pixels);
  float mean = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(p.pixels) * width; ++i) {
    mean += Read<T>(p.x, first + i / width, channel + static_cast<int>(i % width)) / count;
  }
  float variance = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(p.pixels) * width; ++i) {
    const float difference = Read<T>(p.x, first + i / width, channel + static_cast<int>(i % width)) - mean;
    variance += difference * difference / count;
  }
  const float scale = ReciprocalRoot(variance + p.epsilon);
  for (int64_t i = 0; i < static_cast<int64_t>(p.pixels) * width; ++i) {
    const int c = channel + static_cast<int>(i % width);
    const float value = (Read<T>(p.x, first + i / width, c) - mean) * scale * p.weight[c] + p.bias[c];
    Write<T>(p.out, first + i / width, c, p.silu ? Apply(Activation::kSilu, value) : value);
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads) PlainLayerNormKernel(const LayerNormParameters p) {
  if (Index() >= p.x.rows) return;
  const float count = static_cast<float>(p.x.columns);
  float mean = 0;
  for (int c = 0; c < p.x.columns; ++c) mean += Read<T>(p.x, Index(), c) / count;
  float variance = 0;
  for (int c = 0; c < p.x.columns; ++c) {
    const float difference = Read<T>(p.x, Index(), c) - mean;
    variance += difference * difference / count;
  }
  const float scale = ReciprocalRoot(variance + p.epsilon);
  for (int c = 0; c < p.x.columns; ++c) {
    Write<T>(p.out, Index(), c, (Read<T>(p.x, Index(), c) - mean) * scale * p.weight[c] + p.bias[c]);
  }
}

template <typename Parameters>
void LaunchPlain(Precision precision, void (*f16)(Parameters), void (*bf16)(Parameters), int64_t count,
                 const Parameters& parameters, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((count + kThreads - 1) / kThreads));
  Launch<Parameters>(precision == Precision::kF16 ? f16 : bf16, grid, dim3(kThreads), 0, stream, parameters);
}

}  // namespace

void LaunchPlainProduct(Precision precision, const ProductParameters& p, cudaStream_t stream) {
  const int64_t count = static_cast<int64_t>(p.out.rows) * p.outputs;
  LaunchPlain<ProductParameters>(precision, PlainProductKernel<F16>, PlainProductKernel<BF16>, count, p,
                                 stream);
}

void LaunchPlainAttention(Precision precision, const AttentionParameters& p, cudaStream_t stream) {
  const int64_t count = static_cast<int64_t>(p.out.rows) * p.heads;
  LaunchPlain<AttentionParameters>(precision, PlainAttentionKernel<F16>, PlainAttentionKernel<BF16>, count, p,
                                   stream);
}

void LaunchPlainGroupNorm(Precision precision, const GroupNormParameters& p, cudaStream_t stream) {
  const int64_t count = static_cast<int64_t>(p.batch) * p.groups;
  LaunchPlain<GroupNormParameters>(precision, PlainGroupNormKernel<F16>, PlainGroupNormKernel<BF16>, count, p,
                                   stream);
}

void LaunchPlainLayerNorm(Precision precision, const LayerNormParameters& p, cudaStream_t stream) {
  LaunchPlain<LayerNormParameters>(precision, PlainLayerNormKernel<F16>, PlainLayerNormKernel<BF16>, p.x.rows,
                                   p, stream);
}

}  // namespace latentd::cuda
