// What the engine calls: one struct of parameters a kernel, and a function that starts it on a stream.
// Matrices are rows of 16-bit numbers, `stride` elements apart, 16-byte aligned (src/compute/cuda/program.ts
// says more). Each kernel that matters has a plain twin in plain.cu, one thread a result, to be compared
// with.
#pragma once

#include <cstdint>

#include "cuda/formats.h"
#include "cuda/platform.h"
#include "files/dtypes.h"

namespace latentd::cuda {

/// Throws when this build has no code that the card can run.
void CheckKernels(const cudaDeviceProp& card);

enum class Precision : int { kF16, kBF16 };

struct Matrix {
  void* data;
  int64_t stride;
  int rows;
  int columns;
};

/// A convolution's reading of its image; `kernel_height` 0 for a plain product.
struct Window {
  int stored_height, stored_width;
  /// The stored image is read as one 2^shift times as large.
  int shift_y, shift_x;
  int height, width, out_height, out_width;
  int kernel_height, kernel_width, stride, top, left;
  /// Channels of a tap, padding included.
  int channels;
};

/// out = epilogue(x · weightᵀ): + bias, + sums[row / rows_per_sum], activation or pairs to geglu, + residual.
struct ProductParameters {
  Matrix x;
  /// Rows of `inner` numbers, padded to a multiple of 8 rows.
  const void* weight;
  const float* bias;
  Matrix sums;
  int rows_per_sum;
  Matrix residual;
  Matrix out;
  /// Rows of the weight, padding included: twice the result's columns for geglu.
  int outputs;
  int inner;
  Activation activation;
  Window window;
};

/// Tiles that a fast product can be computed in; the engine measures which is best for a shape.
constexpr int kProductTiles = 4;
/// Whether the card has the shared memory for it.
bool ProductTileFits(int tile, size_t shared_bytes_per_block);
void LaunchProduct(Precision precision, int tile, const ProductParameters& parameters, cudaStream_t stream);
void LaunchPlainProduct(Precision precision, const ProductParameters& parameters, cudaStream_t stream);

struct AttentionParameters {
  Matrix query, key, value, out;
  int batch, heads, queries, keys, head_width;
  bool causal;
  /// 1/√head_width
  float scale;
};

/// Whether the fast kernel can; the plain one always can.
bool AttentionFits(const AttentionParameters& parameters, size_t shared_bytes_per_block);
void LaunchAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream);
void LaunchPlainAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream);
/// Channels of the widest head that each of two fast kernels takes; wider ones than the first's are the
/// second's.
constexpr int kNarrowHead = 160;
constexpr int kWideHead = 512;
bool WideAttentionFits(const AttentionParameters& parameters, size_t shared_bytes_per_block);
void LaunchWideAttention(Precision precision, const AttentionParameters& parameters, cudaStream_t stream);

struct GroupNormParameters {
  Matrix x, out;
  const float* weight;
  const float* bias;
  /// batch × parts × groups × (sum, sum of squares), of values less the group's first one.
  float* sums;
  int batch, pixels, groups, parts;
  float epsilon;
  bool silu;
};

void LaunchGroupNorm(Precision precision, const GroupNormParameters& parameters, cudaStream_t stream);
void LaunchPlainGroupNorm(Precision precision, const GroupNormParameters& parameters, cudaStream_t stream);

struct LayerNormParameters {
  Matrix x, out;
  const float* weight;
  const float* bias;
  float epsilon;
};

void LaunchLayerNorm(Precision precision, const LayerNormParameters& parameters, cudaStream_t stream);
void LaunchPlainLayerNorm(Precision precision, const LayerNormParameters& parameters, cudaStream_t stream);

enum class Elementwise : int {
  kActivate,
  /// Halves of columns, and neighbours.
  kGeglu,
  kGegluPairs,
  kAdd,
  kScale,
  kAddPerChannel,
  kAddRows,
  kCopy,
  kResize,
  kSelectRow,
  /// Negative numbers times `factor`, or times their column's of `slopes`.
  kLeakyRelu,
  kPrelu,
  /// Columns c·f² + y·f + x of a pixel are column c of f×f pixels, and back.
  kPixelShuffle,
  kPixelUnshuffle,
  /// The first `period` columns times `factor`, or 1 + (factor − 1) · the row's number of `other`.
  kScaleChannels,
};

struct ElementwiseParameters {
  Elementwise operation;
  Matrix x, other, out;
  Activation activation;
  float factor;
  /// Rows of `other` a row of it stands for, its period, or the rows of a sequence.
  int period;
  const int32_t* index;
  const float* slopes;
  int height, width, out_height, out_width;
};

void LaunchElementwise(Precision precision, const ElementwiseParameters& parameters, cudaStream_t stream);

/// Pictures of `height` × `width` rows.
struct MapParameters {
  Matrix x, out;
  int batch, height, width;
  float factor;
};

/// The mean over columns, stretched to 0…1 in each picture.
void LaunchMeanMap(Precision precision, const MapParameters& parameters, cudaStream_t stream);
/// The Fourier modes 0 and −1 of both axes times `factor`.
void LaunchLowFrequencies(Precision precision, const MapParameters& parameters, cudaStream_t stream);

/// Between the graph's float32 (N×C×pixels, or rows where `pixels` is 1) and matrices.
struct PortParameters {
  float* host_order;
  Matrix matrix;
  int pixels;
};

void LaunchImport(Precision precision, const PortParameters& parameters, cudaStream_t stream);
void LaunchExport(Precision precision, const PortParameters& parameters, cudaStream_t stream);

/// into = Σ factor · values, of float32; `into` may be among the operands. Products are rounded before they
/// are added, or with `fused` only after.
constexpr int kMostTerms = 16;
struct CombineParameters {
  float* into;
  int64_t count;
  int terms;
  bool fused;
  const float* values[kMostTerms];
  float factors[kMostTerms];
};

void LaunchCombine(const CombineParameters& parameters, cudaStream_t stream);

/// into = (a − b) / divisor; a / divisor where `b` is null.
struct QuotientParameters {
  const float* a;
  const float* b;
  float divisor;
  float* into;
  int64_t count;
};

void LaunchQuotient(const QuotientParameters& parameters, cudaStream_t stream);

/// factor · up · down, of rows × rank and rank × a row's numbers.
struct LowRankProduct {
  const void* up;
  const void* down;
  StoredDType up_format, down_format;
  int rank;
  float factor;
};
constexpr int kMostProducts = 8;

/// A part of a packed weight, from the checkpoint's format and order (outputs × channels × taps).
struct WeightParameters {
  const void* stored;
  StoredDType format;
  /// Float32 where `wide`, otherwise of the program's precision.
  void* packed;
  bool wide;
  int rows, channels, taps;
  /// Added in float32 before the number is rounded; `row` is which of their rows the first one takes.
  LowRankProduct added[kMostProducts];
  int additions;
  int row;
  /// Where the first row goes. With `pair_rows` they are some of so many, the first and the second half of
  /// which are woven.
  int first_row;
  int pair_rows;
  /// Of a packed row.
  int columns;
};

/// What the part doesn't fill stays as it is: zero it before.
void LaunchWeight(Precision precision, const WeightParameters& parameters, cudaStream_t stream);

}  // namespace latentd::cuda
