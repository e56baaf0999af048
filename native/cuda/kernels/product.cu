// Matrix products and convolutions on tensor cores, out[m][n] = Σk x[m][k] · weight[n][k], as one kernel: a
// convolution is the product of the pixels under the kernel, which are read straight out of the NHWC image
// (implicit GEMM), tap after tap.
//
// A block computes a tile of kRows × kColumns. Slices of 64 along k of both operands go through a ring of
// kStages buffers in shared memory by asynchronous copies; 16-byte chunks of a row are permuted by its number
// (chunk ^ row % 8), so that neither the copies nor ldmatrix meet bank conflicts. Warps share the tile out,
// and multiply 16×8×16 at a time (mma.sync), in float32.
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kSlice = 64;
constexpr int kChunks = kSlice / kVector;

template <int kRows_, int kColumns_, int kWarpRows_, int kWarpColumns_, int kStages_>
struct Tile {
  static constexpr int kRows = kRows_;
  static constexpr int kColumns = kColumns_;
  /// What a warp computes.
  static constexpr int kWarpRows = kWarpRows_;
  static constexpr int kWarpColumns = kWarpColumns_;
  static constexpr int kStages = kStages_;
  static constexpr int kThreads = kRows / kWarpRows * (kColumns / kWarpColumns) * 32;
  static constexpr int kStageHalves = (kRows + kColumns) * kSlice;
  static constexpr size_t kSharedBytes = sizeof(uint16_t) * kStageHalves * kStages;
  /// The ring is done when results are laid out in its place.
  static constexpr int kResultStride = kColumns + 8;
  static_assert(sizeof(float) * kResultStride * kRows <= kSharedBytes);
};

// LaunchProduct's numbers.
using Tile0 = Tile<128, 128, 64, 32, 3>;
using Tile1 = Tile<128, 256, 64, 64, 3>;
using Tile2 = Tile<128, 64, 32, 32, 3>;
using Tile3 = Tile<64, 64, 32, 32, 4>;

/// Where 16-byte chunk `chunk` of row `row` lies in a slice.
__device__ __forceinline__ int Swizzled(int row, int chunk) {
  return row * kSlice + ((chunk ^ (row & (kChunks - 1))) * kVector);
}

/// A thread's share of copying x: a chunk of the slice, in every kStep-th row of the tile.
template <typename T, typename Shape, bool kWindow>
class XCopies {
 public:
  static constexpr int kStep = Shape::kThreads / kChunks;
  static constexpr int kCount = Shape::kRows / kStep;

  __device__ XCopies(const ProductParameters& p, int first_row) : p_(p) {
    chunk_ = static_cast<int>(threadIdx.x) % kChunks;
    k_ = chunk_ * kVector;
    const int row = static_cast<int>(threadIdx.x) / kChunks;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const int m = first_row + row + i * kStep;
      inside_[i] = m < p.out.rows;
      if constexpr (kWindow) {
        const Window& w = p.window;
        const int plane = w.out_height * w.out_width;
        const int image = m / plane;
        const int y = m % plane / w.out_width;
        const int x = m % w.out_width;
        offset_[i] = static_cast<int64_t>(image) * w.stored_height * w.stored_width;
        y_[i] = y * w.stride - w.top;
        x_[i] = x * w.stride - w.left;
      } else {
        offset_[i] = m * p.x.stride;
      }
    }
    if constexpr (kWindow) {
      channel_ = k_;
      Normalise();
    }
  }

  /// Starts the copies of the next slice.
  __device__ __forceinline__ void Start(T* slice) {
    const int row = static_cast<int>(threadIdx.x) / kChunks;
    const bool in_k = k_ < p_.inner;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const T* from = static_cast<const T*>(p_.x.data);
      bool valid = inside_[i] && in_k;
      if constexpr (kWindow) {
        const Window& w = p_.window;
        const int y = y_[i] + tap_y_;
        const int x = x_[i] + tap_x_;
        valid = valid && y >= 0 && y < w.height && x >= 0 && x < w.width;
        const int64_t pixel = offset_[i] + (y >> w.shift_y) * w.stored_width + (x >> w.shift_x);
        if (valid) from += pixel * p_.x.stride + channel_;
      } else {
        if (valid) from += offset_[i] + k_;
      }
      CopyAsync(slice + Swizzled(row + i * kStep, chunk_), from, valid ? 16 : 0);
    }
    k_ += kSlice;
    if constexpr (kWindow) {
      channel_ += kSlice;
      Normalise();
    }
  }

 private:
  /// Channels beyond a tap's last are those of the next tap.
  __device__ __forceinline__ void Normalise() {
    const Window& w = p_.window;
    while (channel_ >= w.channels) {
      channel_ -= w.channels;
      if (++tap_x_ == w.kernel_width) {
        tap_x_ = 0;
        ++tap_y_;
      }
    }
  }

  const ProductParameters& p_;
  int chunk_, k_;
  int channel_ = 0, tap_y_ = 0, tap_x_ = 0;
  bool inside_[kCount];
  int64_t offset_[kCount];
  int y_[kCount], x_[kCount];
};

/// Likewise of the weight, whose rows are the tile's columns.
template <typename T, typename Shape>
__device__ __forceinline__ void StartWeight(const ProductParameters& p, int first_column, int slice_index,
                                            T* slice) {
  constexpr int kStep = Shape::kThreads / kChunks;
  const int chunk = static_cast<int>(threadIdx.x) % kChunks;
  const int row = static_cast<int>(threadIdx.x) / kChunks;
  const int k = slice_index * kSlice + chunk * kVector;
#pragma unroll
  for (int i = 0; i < Shape::kColumns / kStep; ++i) {
    const int n = first_column + row + i * kStep;
    const bool valid = n < p.outputs && k < p.inner;
    const T* from = static_cast<const T*>(p.weight);
    if (valid) from += static_cast<int64_t>(n) * p.inner + k;
    CopyAsync(slice + Swizzled(row + i * kStep, chunk), from, valid ? 16 : 0);
  }
}

/// Eight neighbouring results, on their way out.
template <typename T>
__device__ __forceinline__ void Finish(const ProductParameters& p, int row, int column, const float* sums) {
  float values[kVector];
#pragma unroll
  for (int i = 0; i < kVector; ++i) values[i] = sums[i] + (p.bias == nullptr ? 0.0f : p.bias[column + i]);
  T* const out = static_cast<T*>(p.out.data) + row * p.out.stride;
  if (p.activation == Activation::kGeglu) {
    uint32_t* const pairs = reinterpret_cast<uint32_t*>(out + column / 2);
    pairs[0] = Pack<T>(values[0] * Gelu(values[1]), values[2] * Gelu(values[3]));
    pairs[1] = Pack<T>(values[4] * Gelu(values[5]), values[6] * Gelu(values[7]));
    return;
  }
  float added[kVector];
  if (p.sums.data != nullptr) {
    LoadVector(static_cast<const T*>(p.sums.data) + row / p.rows_per_sum * p.sums.stride + column, added);
#pragma unroll
    for (int i = 0; i < kVector; ++i) values[i] += added[i];
  }
  if (p.activation != Activation::kNone) {
#pragma unroll
    for (int i = 0; i < kVector; ++i) values[i] = Apply(p.activation, values[i]);
  }
  if (p.residual.data != nullptr) {
    LoadVector(static_cast<const T*>(p.residual.data) + row * p.residual.stride + column, added);
#pragma unroll
    for (int i = 0; i < kVector; ++i) values[i] += added[i];
  }
  StoreVector(values, out + column);
}

template <typename T, typename Shape, bool kWindow>
__global__ void __launch_bounds__(Shape::kThreads) ProductKernel(const ProductParameters p) {
  constexpr int kMmaRows = Shape::kWarpRows / 16;
  constexpr int kMmaColumns = Shape::kWarpColumns / 8;
  T* const ring = reinterpret_cast<T*>(DynamicShared());
  // Tiles side by side follow each other: they share rows of x. One number for both, as a grid has no more
  // than 65535 rows.
  const unsigned across = (p.outputs + Shape::kColumns - 1) / Shape::kColumns;
  const int first_row = static_cast<int>(blockIdx.x / across) * Shape::kRows;
  const int first_column = static_cast<int>(blockIdx.x % across) * Shape::kColumns;
  const int lane = LaneOf(threadIdx.x);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  constexpr int kWarpsAcross = Shape::kColumns / Shape::kWarpColumns;
  const int warp_row = warp / kWarpsAcross * Shape::kWarpRows;
  const int warp_column = warp % kWarpsAcross * Shape::kWarpColumns;

  float sums[kMmaRows][kMmaColumns][4] = {};
  XCopies<T, Shape, kWindow> x_copies(p, first_row);
  const int slices = (p.inner + kSlice - 1) / kSlice;
  const auto start = [&](int slice) {
    T* const stage = ring + slice % Shape::kStages * Shape::kStageHalves;
    x_copies.Start(stage);
    StartWeight<T, Shape>(p, first_column, slice, stage + Shape::kRows * kSlice);
  };
#pragma unroll
  for (int slice = 0; slice < Shape::kStages - 1; ++slice) {
    if (slice < slices) start(slice);
    CommitCopies();
  }

  for (int slice = 0; slice < slices; ++slice) {
    AwaitCopies<Shape::kStages - 2>();
    // What was copied is seen by all; and the stage that is filled next is no longer read.
    __syncthreads();
    if (slice + Shape::kStages - 1 < slices) start(slice + Shape::kStages - 1);
    CommitCopies();

    const T* const x_slice = ring + slice % Shape::kStages * Shape::kStageHalves;
    const T* const weight_slice = x_slice + Shape::kRows * kSlice;
#pragma unroll
    for (int step = 0; step < kSlice / 16; ++step) {
      uint32_t a[kMmaRows][4];
      uint32_t b[kMmaColumns / 2][4];
#pragma unroll
      for (int i = 0; i < kMmaRows; ++i) {
        LoadMatrices(a[i], x_slice + Swizzled(warp_row + i * 16 + lane % 16, step * 2 + lane / 16));
      }
#pragma unroll
      for (int j = 0; j < kMmaColumns / 2; ++j) {
        const int column = warp_column + j * 16 + lane % 8 + lane / 16 * 8;
        LoadMatrices(b[j], weight_slice + Swizzled(column, step * 2 + lane / 8 % 2));
      }
#pragma unroll
      for (int i = 0; i < kMmaRows; ++i) {
#pragma unroll
        for (int j = 0; j < kMmaColumns; ++j) {
          const uint32_t pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
          MmaM16N8K16<T>(sums[i][j], a[i], pair);
        }
      }
    }
  }
  AwaitCopies<0>();
  __syncthreads();

  // Through shared memory, so that rows leave in whole vectors.
  float* const results = reinterpret_cast<float*>(DynamicShared());
#pragma unroll
  for (int i = 0; i < kMmaRows; ++i) {
#pragma unroll
    for (int j = 0; j < kMmaColumns; ++j) {
      float* const to = results + (warp_row + i * 16 + lane / 4) * Shape::kResultStride + warp_column +
                        j * 8 + lane % 4 * 2;
      to[0] = sums[i][j][0];
      to[1] = sums[i][j][1];
      to[8 * Shape::kResultStride] = sums[i][j][2];
      to[8 * Shape::kResultStride + 1] = sums[i][j][3];
    }
  }
  __syncthreads();
  constexpr int kVectors = Shape::kColumns / kVector;
#pragma unroll 1
  for (int v = threadIdx.x; v < Shape::kRows * kVectors; v += Shape::kThreads) {
    const int row = v / kVectors;
    const int column = v % kVectors * kVector;
    if (first_row + row >= p.out.rows || first_column + column >= p.outputs) continue;
    Finish<T>(p, first_row + row, first_column + column, results + row * Shape::kResultStride + column);
  }
}

template <typename T, typename Shape>
void LaunchTile(const ProductParameters& p, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((p.outputs + Shape::kColumns - 1) / Shape::kColumns) *
                  static_cast<unsigned>((p.out.rows + Shape::kRows - 1) / Shape::kRows));
  const auto kernel =
      p.window.kernel_height > 0 ? ProductKernel<T, Shape, true> : ProductKernel<T, Shape, false>;
  Launch<ProductParameters>(kernel, grid, dim3(Shape::kThreads), Shape::kSharedBytes, stream, p);
}

template <typename T>
void LaunchIn(int tile, const ProductParameters& p, cudaStream_t stream) {
  switch (tile) {
    case 0:
      return LaunchTile<T, Tile0>(p, stream);
    case 1:
      return LaunchTile<T, Tile1>(p, stream);
    case 2:
      return LaunchTile<T, Tile2>(p, stream);
    default:
      return LaunchTile<T, Tile3>(p, stream);
  }
}

}  // namespace

bool ProductTileFits(int tile, size_t shared_bytes_per_block) {
  constexpr size_t kBytes[kProductTiles] = {Tile0::kSharedBytes, Tile1::kSharedBytes, Tile2::kSharedBytes,
                                            Tile3::kSharedBytes};
  return kBytes[tile] <= shared_bytes_per_block;
}

void LaunchProduct(Precision precision, int tile, const ProductParameters& parameters, cudaStream_t stream) {
  if (precision == Precision::kF16) {
    LaunchIn<F16>(tile, parameters, stream);
  } else {
    LaunchIn<BF16>(tile, parameters, stream);
  }
}

}  // namespace latentd::cuda
