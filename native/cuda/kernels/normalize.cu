// Group norm (with SiLU) and layer norm: y = (x − mean) / √(variance + ε) · weight + bias.
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kThreads = 256;
/// Channels whose sums a block keeps: threads are rows of as many vectors as there are channels.
constexpr int kSums = kThreads * kVector;

__device__ __forceinline__ int Smaller(int a, int b) { return a < b ? a : b; }

/// Sum and sum of squares of every group in a run of pixels, of values less the group's first, which keeps
/// the difference of the two moments exact enough. One block a run; channels in turns of 2048. Sums are taken
/// in a fixed order.
template <typename T>
__global__ void __launch_bounds__(kThreads) GroupSumsKernel(const GroupNormParameters p) {
  float* const partial = reinterpret_cast<float*>(DynamicShared());
  const int part = static_cast<int>(blockIdx.x);
  const int64_t image = static_cast<int64_t>(blockIdx.y) * p.pixels;
  const int width = p.x.columns / p.groups;
  const int begin = static_cast<int>(static_cast<int64_t>(p.pixels) * part / p.parts);
  const int end = static_cast<int>(static_cast<int64_t>(p.pixels) * (part + 1) / p.parts);
  const T* const x = static_cast<const T*>(p.x.data) + image * p.x.stride;
  float* const channel_sums = partial + 2 * kSums;
  const int vectors = (p.x.columns + kVector - 1) / kVector;
  for (int first = 0; first < vectors; first += kThreads) {
    const int across = Smaller(vectors - first, kThreads);
    const int rows = kThreads / across;
    const int row = static_cast<int>(threadIdx.x) / across;
    const int channel = (first + static_cast<int>(threadIdx.x) % across) * kVector;
    float shift[kVector], sum[kVector] = {}, squares[kVector] = {};
    if (row < rows) {
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const int c = Smaller(channel + i, p.x.columns - 1);
        shift[i] = ToFloat(x[c / width * width]);
      }
      for (int pixel = begin + row; pixel < end; pixel += rows) {
        float values[kVector];
        LoadVector(x + pixel * p.x.stride + channel, values);
#pragma unroll
        for (int i = 0; i < kVector; ++i) {
          const float value = values[i] - shift[i];
          sum[i] += value;
          squares[i] += value * value;
        }
      }
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        partial[threadIdx.x * kVector + i] = sum[i];
        partial[kSums + threadIdx.x * kVector + i] = squares[i];
      }
    }
    __syncthreads();
    for (int c = threadIdx.x; c < across * kVector; c += kThreads) {
      if (first * kVector + c >= p.x.columns) continue;
      float total = 0, total_squares = 0;
      for (int r = 0; r < rows; ++r) {
        total += partial[r * across * kVector + c];
        total_squares += partial[kSums + r * across * kVector + c];
      }
      channel_sums[first * kVector + c] = total;
      channel_sums[p.x.columns + first * kVector + c] = total_squares;
    }
    __syncthreads();
  }
  for (int group = threadIdx.x; group < p.groups; group += kThreads) {
    float total = 0, total_squares = 0;
    for (int c = group * width; c < (group + 1) * width; ++c) {
      total += channel_sums[c];
      total_squares += channel_sums[p.x.columns + c];
    }
    float* const into = p.sums + ((static_cast<int64_t>(blockIdx.y) * p.parts + part) * p.groups + group) * 2;
    into[0] = total;
    into[1] = total_squares;
  }
}

/// Mean and scale of every group out of the runs' sums, then the pixels of a run, all channels.
template <typename T>
__global__ void __launch_bounds__(kThreads) GroupApplyKernel(const GroupNormParameters p) {
  float* const moments = reinterpret_cast<float*>(DynamicShared());
  const int64_t image = static_cast<int64_t>(blockIdx.y) * p.pixels;
  const int width = p.x.columns / p.groups;
  const T* const x = static_cast<const T*>(p.x.data) + image * p.x.stride;
  T* const out = static_cast<T*>(p.out.data) + image * p.out.stride;
  for (int group = threadIdx.x; group < p.groups; group += kThreads) {
    float total = 0, total_squares = 0;
    for (int part = 0; part < p.parts; ++part) {
      const float* const sums =
          p.sums + ((static_cast<int64_t>(blockIdx.y) * p.parts + part) * p.groups + group) * 2;
      total += sums[0];
      total_squares += sums[1];
    }
    const float count = static_cast<float>(width) * static_cast<float>(p.pixels);
    const float mean = total / count;
    const float variance = total_squares / count - mean * mean;
    moments[2 * group] = mean + ToFloat(x[group * width]);
    moments[2 * group + 1] = ReciprocalRoot((variance > 0 ? variance : 0) + p.epsilon);
  }
  __syncthreads();
  const int vectors = (p.x.columns + kVector - 1) / kVector;
  const int blocks = static_cast<int>(gridDim.x);
  const int begin = static_cast<int>(static_cast<int64_t>(p.pixels) * blockIdx.x / blocks);
  const int end = static_cast<int>(static_cast<int64_t>(p.pixels) * (blockIdx.x + 1) / blocks);
  for (int first = 0; first < vectors; first += kThreads) {
    const int across = Smaller(vectors - first, kThreads);
    const int rows = kThreads / across;
    const int row = static_cast<int>(threadIdx.x) / across;
    const int channel = (first + static_cast<int>(threadIdx.x) % across) * kVector;
    if (row >= rows) continue;
    float factor[kVector] = {}, offset[kVector] = {};
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const int c = channel + i;
      if (c >= p.x.columns) continue;
      factor[i] = moments[c / width * 2 + 1] * p.weight[c];
      offset[i] = p.bias[c] - moments[c / width * 2] * factor[i];
    }
    for (int pixel = begin + row; pixel < end; pixel += rows) {
      float values[kVector];
      LoadVector(x + pixel * p.x.stride + channel, values);
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const float value = channel + i < p.x.columns ? values[i] * factor[i] + offset[i] : 0;
        values[i] = p.silu ? value / (1.0f + Exp(-value)) : value;
      }
      StoreVector(values, out + pixel * p.out.stride + channel);
    }
  }
}

/// A warp a row, which it reads three times: twice out of its cache.
template <typename T>
__global__ void __launch_bounds__(kThreads) LayerNormKernel(const LayerNormParameters p) {
  const int row = static_cast<int>(blockIdx.x) * (kThreads / 32) + static_cast<int>(threadIdx.x) / 32;
  const bool valid = row < p.x.rows;
  const int lane = LaneOf(threadIdx.x);
  const T* const x = static_cast<const T*>(p.x.data) + (valid ? row : 0) * p.x.stride;
  const float count = static_cast<float>(p.x.columns);
  float values[kVector];
  float sum = 0;
  for (int c = lane * kVector; c < p.x.columns; c += 32 * kVector) {
    LoadVector(x + c, values);
#pragma unroll
    for (int i = 0; i < kVector; ++i) sum += c + i < p.x.columns ? values[i] : 0;
  }
  const float mean = WarpSum(sum) / count;
  float squares = 0;
  for (int c = lane * kVector; c < p.x.columns; c += 32 * kVector) {
    LoadVector(x + c, values);
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const float difference = c + i < p.x.columns ? values[i] - mean : 0;
      squares += difference * difference;
    }
  }
  const float scale = ReciprocalRoot(WarpSum(squares) / count + p.epsilon);
  if (!valid) return;
  T* const out = static_cast<T*>(p.out.data) + row * p.out.stride;
  for (int c = lane * kVector; c < p.x.columns; c += 32 * kVector) {
    LoadVector(x + c, values);
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const bool inside = c + i < p.x.columns;
      values[i] = inside ? (values[i] - mean) * scale * p.weight[c + i] + p.bias[c + i] : 0;
    }
    StoreVector(values, out + c);
  }
}

template <typename T>
void LaunchGroupNormIn(const GroupNormParameters& p, cudaStream_t stream) {
  const size_t sums = sizeof(float) * 2 * (kSums + static_cast<size_t>(p.x.columns));
  Launch<GroupNormParameters>(GroupSumsKernel<T>, dim3(p.parts, p.batch), dim3(kThreads), sums, stream, p);
  const size_t moments = sizeof(float) * 2 * static_cast<size_t>(p.groups);
  Launch<GroupNormParameters>(GroupApplyKernel<T>, dim3(p.parts, p.batch), dim3(kThreads), moments, stream,
                              p);
}

}  // namespace

void LaunchGroupNorm(Precision precision, const GroupNormParameters& parameters, cudaStream_t stream) {
  precision == Precision::kF16 ? LaunchGroupNormIn<F16>(parameters, stream)
                               : LaunchGroupNormIn<BF16>(parameters, stream);
}

void LaunchLayerNorm(Precision precision, const LayerNormParameters& parameters, cudaStream_t stream) {
  const dim3 grid((parameters.x.rows + kThreads / 32 - 1) / (kThreads / 32));
  const auto kernel = precision == Precision::kF16 ? LayerNormKernel<F16> : LayerNormKernel<BF16>;
  Launch<LayerNormParameters>(kernel, grid, dim3(kThreads), 0, stream, parameters);
}

}  // namespace latentd::cuda
