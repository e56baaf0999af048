// What is computed number by number, eight neighbours a thread: limited by memory alone.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/stored.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__device__ __forceinline__ const T* RowOf(const Matrix& matrix, int64_t row) {
  return static_cast<const T*>(matrix.data) + row * matrix.stride;
}

/// Floor of the scaled coordinate, as torch.nn.functional.interpolate(mode='nearest').
__device__ __forceinline__ int64_t Nearest(const ElementwiseParameters& p, int row) {
  const int plane = p.out_height * p.out_width;
  const int y = row % plane / p.out_width * p.height / p.out_height;
  const int x = row % p.out_width * p.width / p.out_width;
  return (static_cast<int64_t>(row / plane) * p.height + y) * p.width + x;
}

/// Where a number of an image of other pixels comes from; `column` is one of the image's.
template <typename T>
__device__ __forceinline__ float Shuffled(const ElementwiseParameters& p, int row, int column) {
  const bool apart = p.operation == Elementwise::kPixelShuffle;
  const int factor = apart ? p.out_width / p.width : p.width / p.out_width;
  const int plane = p.out_height * p.out_width;
  const int image = row / plane;
  const int y = row % plane / p.out_width;
  const int x = row % p.out_width;
  const int square = factor * factor;
  const int within = apart ? y % factor * factor + x % factor : column % square;
  const int from_y = apart ? y / factor : y * factor + within / factor;
  const int from_x = apart ? x / factor : x * factor + within % factor;
  const int from_column = apart ? column * square + within : column / square;
  const int64_t from = (static_cast<int64_t>(image) * p.height + from_y) * p.width + from_x;
  return ToFloat(RowOf<T>(p.x, from)[from_column]);
}

template <typename T>
__device__ __forceinline__ void Compute(const ElementwiseParameters& p, int row, int column,
                                        float (&values)[kVector]) {
  float others[kVector];
  switch (p.operation) {
    case Elementwise::kActivate:
      LoadVector(RowOf<T>(p.x, row) + column, values);
#pragma unroll
      for (int i = 0; i < kVector; ++i) values[i] = Apply(p.activation, values[i]);
      return;
    case Elementwise::kGeglu:
      // The second half need not begin at a whole vector.
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const int c = column + i < p.out.columns ? column + i : p.out.columns - 1;
        values[i] = ToFloat(RowOf<T>(p.x, row)[c]) * Gelu(ToFloat(RowOf<T>(p.x, row)[p.out.columns + c]));
      }
      return;
    case Elementwise::kGegluPairs:
      LoadVector(RowOf<T>(p.x, row) + 2 * column, values);
      LoadVector(RowOf<T>(p.x, row) + 2 * column + kVector, others);
#pragma unroll
      for (int i = 0; i < kVector / 2; ++i) {
        values[i] = values[2 * i] * Gelu(values[2 * i + 1]);
      }
#pragma unroll
      for (int i = 0; i < kVector / 2; ++i) values[kVector / 2 + i] = others[2 * i] * Gelu(others[2 * i + 1]);
      return;
    case Elementwise::kAdd:
    case Elementwise::kAddPerChannel:
    case Elementwise::kAddRows: {
      const int64_t other = p.operation == Elementwise::kAdd             ? row
                            : p.operation == Elementwise::kAddPerChannel ? row / p.period
                                                                         : row % p.period;
      LoadVector(RowOf<T>(p.x, row) + column, values);
      LoadVector(RowOf<T>(p.other, other) + column, others);
#pragma unroll
      for (int i = 0; i < kVector; ++i) values[i] += others[i];
      return;
    }
    case Elementwise::kScale:
      LoadVector(RowOf<T>(p.x, row) + column, values);
#pragma unroll
      for (int i = 0; i < kVector; ++i) values[i] *= p.factor;
      return;
    case Elementwise::kLeakyRelu:
    case Elementwise::kPrelu:
      LoadVector(RowOf<T>(p.x, row) + column, values);
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const float slope = p.operation == Elementwise::kPrelu ? p.slopes[column + i] : p.factor;
        values[i] *= values[i] < 0 ? slope : 1.0f;
      }
      return;
    case Elementwise::kPixelShuffle:
    case Elementwise::kPixelUnshuffle:
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        values[i] = column + i < p.out.columns ? Shuffled<T>(p, row, column + i) : 0;
      }
      return;
    case Elementwise::kScaleChannels: {
      LoadVector(RowOf<T>(p.x, row) + column, values);
      const float share = p.other.data == nullptr ? 1.0f : ToFloat(*RowOf<T>(p.other, row));
      const float factor = 1.0f + (p.factor - 1.0f) * share;
#pragma unroll
      for (int i = 0; i < kVector; ++i) values[i] *= column + i < p.period ? factor : 1.0f;
      return;
    }
    case Elementwise::kCopy:
      LoadVector(RowOf<T>(p.x, row) + column, values);
      return;
    case Elementwise::kResize:
      LoadVector(RowOf<T>(p.x, Nearest(p, row)) + column, values);
      return;
    case Elementwise::kSelectRow:
      LoadVector(RowOf<T>(p.x, static_cast<int64_t>(row) * p.period + p.index[row]) + column, values);
      return;
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads) ElementwiseKernel(const ElementwiseParameters p) {
  const int vectors = (p.out.columns + kVector - 1) / kVector;
  const int64_t count = static_cast<int64_t>(p.out.rows) * vectors;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step) {
    const int row = static_cast<int>(i / vectors);
    const int column = static_cast<int>(i % vectors) * kVector;
    float values[kVector];
    Compute<T>(p, row, column, values);
    StoreVector(values, static_cast<T*>(p.out.data) + row * p.out.stride + column);
  }
}

/// Where (row, column) lies in N×C×pixels.
__device__ __forceinline__ int64_t PlaceOf(const PortParameters& p, int64_t row, int column) {
  return (row / p.pixels * p.matrix.columns + column) * p.pixels + row % p.pixels;
}

/// Neighbouring threads take neighbouring pixels, as they lie together on the host's side, which has the
/// longer numbers.
template <typename T, bool kImport>
__global__ void __launch_bounds__(kThreads) PortKernel(const PortParameters p) {
  const int wide = kImport ? (p.matrix.columns + kVector - 1) / kVector * kVector : p.matrix.columns;
  const int64_t count = static_cast<int64_t>(p.matrix.rows) * wide;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step) {
    const bool rows = p.pixels == 1;
    const int64_t row = rows ? i / wide : i % p.matrix.rows;
    const int column = static_cast<int>(rows ? i % wide : i / p.matrix.rows);
    T& value = static_cast<T*>(p.matrix.data)[row * p.matrix.stride + column];
    if constexpr (kImport) {
      Store(column < p.matrix.columns ? p.host_order[PlaceOf(p, row, column)] : 0.0f, value);
    } else {
      p.host_order[PlaceOf(p, row, column)] = ToFloat(value);
    }
  }
}

/// outputs × channels × taps → outputs × taps × padded channels, in another format.
template <typename T>
__global__ void __launch_bounds__(kThreads) WeightKernel(const WeightParameters p) {
  const int64_t row_length = static_cast<int64_t>(p.channels) * p.taps;
  const int64_t count = row_length * p.rows;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step) {
    const int row = static_cast<int>(i / row_length);
    const int within = static_cast<int>(i % row_length);
    // Results side by side are written together.
    const int tap = within / p.channels;
    const int channel = within % p.channels;
    const int64_t column = static_cast<int64_t>(channel) * p.taps + tap;
    float value = ReadStored(p.stored, p.format, row * row_length + column);
    for (int k = 0; k < p.additions; ++k) {
      const LowRankProduct& product = p.added[k];
      const int64_t up = static_cast<int64_t>(p.row + row) * product.rank;
      float sum = 0;
      for (int r = 0; r < product.rank; ++r) {
        sum += ReadStored(product.up, product.up_format, up + r) *
               ReadStored(product.down, product.down_format, r * row_length + column);
      }
      value += product.factor * sum;
    }
    int to_row = p.first_row + row;
    if (p.pair_rows > 0) {
      const int half = p.pair_rows / 2;
      to_row = to_row < half ? 2 * to_row : 2 * (to_row - half) + 1;
    }
    const int64_t to = static_cast<int64_t>(to_row) * p.columns + tap * (p.columns / p.taps) + channel;
    if (p.wide) {
      static_cast<float*>(p.packed)[to] = value;
    } else {
      Store(value, static_cast<T*>(p.packed)[to]);
    }
  }
}

/// A thread for each of `count`, and no more blocks than keep a large card busy.
dim3 GridFor(int64_t count) {
  constexpr int64_t kMost = 132 * 16;
  const int64_t blocks = (count + kThreads - 1) / kThreads;
  return dim3(static_cast<unsigned>(blocks < kMost ? blocks : kMost));
}

}  // namespace

void CheckKernels(const cudaDeviceProp& card) {
#ifndef LATENTD_CUDA_EMULATION
  cudaFuncAttributes attributes;
  const auto kernel = reinterpret_cast<const void*>(ElementwiseKernel<F16>);
  if (cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  throw std::runtime_error(std::string("CUDA: this build of latentd has no code for ") + card.name +
                           " (compute capability " + std::to_string(card.major) + "." +
                           std::to_string(card.minor) + ")");
#endif
}

void LaunchElementwise(Precision precision, const ElementwiseParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? ElementwiseKernel<F16> : ElementwiseKernel<BF16>;
  const int64_t vectors = (p.out.columns + kVector - 1) / kVector;
  Launch<ElementwiseParameters>(kernel, GridFor(p.out.rows * vectors), dim3(kThreads), 0, stream, p);
}

void LaunchImport(Precision precision, const PortParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? PortKernel<F16, true> : PortKernel<BF16, true>;
  const int64_t count = static_cast<int64_t>(p.matrix.rows) * p.matrix.columns;
  Launch<PortParameters>(kernel, GridFor(count), dim3(kThreads), 0, stream, p);
}

void LaunchExport(Precision precision, const PortParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? PortKernel<F16, false> : PortKernel<BF16, false>;
  const int64_t count = static_cast<int64_t>(p.matrix.rows) * p.matrix.columns;
  Launch<PortParameters>(kernel, GridFor(count), dim3(kThreads), 0, stream, p);
}

void LaunchWeight(Precision precision, const WeightParameters& p, cudaStream_t stream) {
  const auto kernel = precision == Precision::kF16 ? WeightKernel<F16> : WeightKernel<BF16>;
  const int64_t count = static_cast<int64_t>(p.rows) * p.channels * p.taps;
  Launch<WeightParameters>(kernel, GridFor(count), dim3(kThreads), 0, stream, p);
}

}  // namespace latentd::cuda
