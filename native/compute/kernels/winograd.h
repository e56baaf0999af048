// 3×3 convolutions at stride 1 by Winograd's F(2×2, 3×3): 16 products a 2×2 tile of output where the direct
// sum has 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.1).
#pragma once

#include "finish.h"
#include "gemm.h"
#include "winograd_weights.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Values of transformed input that are held at a time: a good part of a third-level cache.
inline constexpr size_t kTransformedValues = 4 * 1024 * 1024;

struct Tiles {
  size_t rows, columns, per_image, count, panels;

  explicit Tiles(const ConvolutionArguments& a)
      : rows((a.out_height + 1) / 2),
        columns((a.out_width + 1) / 2),
        per_image(rows * columns),
        count(a.batch * per_image),
        panels((count + kColumns - 1) / kColumns) {}
};

inline bool WinogradApplies(const ConvolutionArguments& a) {
  return a.kernel_height == 3 && a.kernel_width == 3 && a.stride == 1 && a.activation != Activation::kGeglu &&
         a.inputs >= 16 && a.outputs >= 16 && Tiles(a).count >= kLanes;
}

/// Even and odd values of two consecutive vectors.
inline void Deinterleave(const float* from, Vector& even, Vector& odd) {
  const Vector low = Load(from);
  const Vector high = Load(from + kLanes);
#if defined(__AVX512F__)
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX2__)
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  even = __builtin_shufflevector(low, high, 0, 2, 4, 6);
  odd = __builtin_shufflevector(low, high, 1, 3, 5, 7);
#endif
}

/// The inverse of Deinterleave.
inline void Interleave(Vector even, Vector odd, float* into) {
#if defined(__AVX512F__)
  Store(into, __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  Store(into + kLanes,
        __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
#elif defined(__AVX2__)
  Store(into, __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
  Store(into + kLanes, __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15));
#else
  Store(into, __builtin_shufflevector(even, odd, 0, 4, 1, 5));
  Store(into + kLanes, __builtin_shufflevector(even, odd, 2, 6, 3, 7));
#endif
}

/// Memory of one thread's input transform, for tile rows `width` tiles wide (a whole number of vectors).
struct InputBuffers {
  size_t width;
  float* line;     // one padded input row
  float* rows[4];  // four rows after the transform along x: 4×width each
  float* tiles;    // 16×stride: the tiles of one block
  size_t stride;

  static size_t Values(size_t width, size_t stride) {
    return 2 * width + 2 * kLanes + 16 * width + 16 * stride;
  }

  InputBuffers(float* memory, size_t width, size_t stride) : width(width), stride(stride) {
    line = memory;
    memory += 2 * width + 2 * kLanes;
    for (auto& row : rows) {
      row = memory;
      memory += 4 * width;
    }
    tiles = memory;
  }
};

/// Transforms one input row along x; `y` may lie outside the image.
inline void TransformLine(const ConvolutionArguments& a, const float* image, ptrdiff_t y, size_t tile_columns,
                          InputBuffers& buffers, float* into) {
  if (y < 0 || y >= static_cast<ptrdiff_t>(a.height)) {
    std::memset(into, 0, 4 * buffers.width * sizeof(float));
    return;
  }
  // `line` is zero but for the row itself, which lies at the same place every time.
  std::memcpy(buffers.line + a.pad_left, image + static_cast<size_t>(y) * a.width, a.width * sizeof(float));
  for (size_t t = 0; t < tile_columns; t += kLanes) {
    Vector d0, d1, d2, d3;
    Deinterleave(buffers.line + 2 * t, d0, d1);
    Deinterleave(buffers.line + 2 * t + 2, d2, d3);
    Store(into + t, d0 - d2);
    Store(into + buffers.width + t, d1 + d2);
    Store(into + 2 * buffers.width + t, d2 - d1);
    Store(into + 3 * buffers.width + t, d1 - d3);
  }
}

/// Transforms tiles [first, first + count) of one channel into buffers.tiles.
inline void TransformChannel(const ConvolutionArguments& a, const Tiles& tiles, size_t channel, size_t first,
                             size_t count, InputBuffers& buffers) {
  const size_t plane = a.height * a.width;
  const size_t end = first + count;
  // Whole tile rows are transformed; `skip` tiles of the first one belong to the block before.
  size_t tile_row = first / tiles.columns;
  const size_t skip = first - tile_row * tiles.columns;
  size_t loaded_image = a.batch;
  for (size_t at = 0; tile_row * tiles.columns < end; ++tile_row, at += tiles.columns) {
    const size_t image = tile_row / tiles.rows;
    const float* pixels = a.x + (channel * a.batch + image) * plane;
    const ptrdiff_t y =
        static_cast<ptrdiff_t>(2 * (tile_row % tiles.rows)) - static_cast<ptrdiff_t>(a.pad_top);
    if (image == loaded_image) {
      // The last two rows of the tile row above are the first two of this one.
      for (size_t r = 0; r < 2; ++r) {
        float* row = buffers.rows[r];
        buffers.rows[r] = buffers.rows[r + 2];
        buffers.rows[r + 2] = row;
      }
    } else {
      for (size_t r = 0; r < 2; ++r) {
        TransformLine(a, pixels, y + static_cast<ptrdiff_t>(r), tiles.columns, buffers, buffers.rows[r]);
      }
      loaded_image = image;
    }
    for (size_t r = 2; r < 4; ++r) {
      TransformLine(a, pixels, y + static_cast<ptrdiff_t>(r), tiles.columns, buffers, buffers.rows[r]);
    }
    for (size_t c = 0; c < 4; ++c) {
      const float* const* rows = buffers.rows;
      for (size_t t = 0; t < tiles.columns; t += kLanes) {
        const size_t from = c * buffers.width + t;
        const Vector d0 = Load(rows[0] + from);
        const Vector d1 = Load(rows[1] + from);
        const Vector d2 = Load(rows[2] + from);
        const Vector d3 = Load(rows[3] + from);
        float* into = buffers.tiles + at + t;
        // Lanes beyond the tile row are overwritten by the next one.
        Store(into + c * buffers.stride, d0 - d2);
        Store(into + (4 + c) * buffers.stride, d1 + d2);
        Store(into + (8 + c) * buffers.stride, d2 - d1);
        Store(into + (12 + c) * buffers.stride, d1 - d3);
      }
    }
  }
  if (skip == 0) return;
  for (size_t position = 0; position < 16; ++position) {
    float* row = buffers.tiles + position * buffers.stride;
    std::memmove(row, row + skip, count * sizeof(float));
  }
}

/// One block of tiles while it is computed: transformed input as 16 positions × panels × channels × kColumns.
struct TileBlock {
  size_t first, count, panels;
  float* values;
  size_t position_stride;
};

inline void StoreChannel(const TileBlock& block, size_t inputs, size_t channel, const InputBuffers& buffers) {
  for (size_t position = 0; position < 16; ++position) {
    float* row = buffers.tiles + position * buffers.stride;
    for (size_t i = block.count; i < block.panels * kColumns; ++i) row[i] = 0;
    float* into = block.values + position * block.position_stride + channel * kColumns;
    for (size_t panel = 0; panel < block.panels; ++panel) {
      Store(into + panel * inputs * kColumns, Load(row + panel * kColumns));
      Store(into + panel * inputs * kColumns + kLanes, Load(row + panel * kColumns + kLanes));
    }
  }
}

/// Transforms one output channel's 16 sums a tile to pixels: `top` and `bottom` rows of each tile, side by
/// side.
inline void TransformSums(const float* sums, size_t position_stride, size_t count, float* top,
                          float* bottom) {
  for (size_t t = 0; t < count; t += kLanes) {
    Vector upper[4], lower[4];
#pragma GCC unroll 4
    for (size_t c = 0; c < 4; ++c) {
      const Vector m0 = Load(sums + c * position_stride + t);
      const Vector m1 = Load(sums + (4 + c) * position_stride + t);
      const Vector m2 = Load(sums + (8 + c) * position_stride + t);
      const Vector m3 = Load(sums + (12 + c) * position_stride + t);
      upper[c] = m0 + m1 + m2;
      lower[c] = m1 - m2 - m3;
    }
    Interleave(upper[0] + upper[1] + upper[2], upper[1] - upper[2] - upper[3], top + 2 * t);
    Interleave(lower[0] + lower[1] + lower[2], lower[1] - lower[2] - lower[3], bottom + 2 * t);
  }
}

/// Writes one output channel's pixels of a block of tiles.
inline void FinishTiles(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                        size_t channel, const float* top, const float* bottom) {
  const size_t plane = a.out_height * a.out_width;
  const float bias = a.bias == nullptr ? 0 : a.bias[channel];
  size_t tile = block.first;
  const size_t end = block.first + block.count;
  while (tile < end) {
    const size_t tile_row = tile / tiles.columns;
    const size_t tile_x = tile % tiles.columns;
    const size_t left = tiles.columns - tile_x;
    const size_t count = end - tile < left ? end - tile : left;
    const size_t image = tile_row / tiles.rows;
    const size_t y = 2 * (tile_row % tiles.rows);
    const size_t x = 2 * tile_x;
    const size_t pixels = x + 2 * count > a.out_width ? a.out_width - x : 2 * count;
    const float shift = a.channel_add == nullptr ? bias : bias + a.channel_add[channel * a.batch + image];
    const size_t from = 2 * (tile - block.first);
    for (size_t line = 0; line < 2 && y + line < a.out_height; ++line) {
      const size_t offset = (channel * a.batch + image) * plane + (y + line) * a.out_width + x;
      FinishRun((line == 0 ? top : bottom) + from, shift, a.activation,
                a.residual == nullptr ? nullptr : a.residual + offset, a.out + offset, pixels);
    }
    tile += count;
  }
}

inline void WinogradConvolution(const Context& context, const ConvolutionArguments& a) {
  const Tiles tiles(a);
  const size_t threads = context.parallel.threads;
  const size_t most_panels = kTransformedValues / (16 * a.inputs * kColumns);
  const size_t wanted = most_panels < 1 ? 1 : most_panels;
  const size_t block_count = (tiles.panels + wanted - 1) / wanted;
  const size_t block_panels = (tiles.panels + block_count - 1) / block_count;
  const size_t block_columns = block_panels * kColumns;

  const size_t width = (tiles.columns + kLanes - 1) / kLanes * kLanes;
  // A block may begin and end inside tile rows.
  const size_t tiles_stride = block_columns + 2 * width + kLanes;
  const size_t input_values = InputBuffers::Values(width, tiles_stride);
  const size_t weight_values = 16 * kWinogradBlockRows * kBlockStride + kWeightScratch;
  const size_t sum_values = 16 * kWinogradBlockRows * block_columns;
  const size_t pixel_values = 4 * block_columns;
  const size_t work_values = weight_values + sum_values + pixel_values;
  const size_t worker_values = input_values > work_values ? input_values : work_values;
  const size_t transformed_values = 16 * block_columns * a.inputs;
  float* memory = context.scratch.Get(transformed_values + threads * worker_values);

  const size_t row_blocks = (a.outputs + kWinogradBlockRows - 1) / kWinogradBlockRows;
  const size_t pass = PassDepth(a.inputs);
  for (size_t first_panel = 0; first_panel < tiles.panels; first_panel += block_panels) {
    const size_t first = first_panel * kColumns;
    const size_t panels =
        tiles.panels - first_panel < block_panels ? tiles.panels - first_panel : block_panels;
    const size_t count = tiles.count - first < panels * kColumns ? tiles.count - first : panels * kColumns;
    const TileBlock block{first, count, panels, memory, panels * a.inputs * kColumns};

    context.parallel.For(threads, [&](size_t worker) {
      InputBuffers buffers(memory + transformed_values + worker * worker_values, width, tiles_stride);
      std::memset(buffers.line, 0, (2 * width + 2 * kLanes) * sizeof(float));
      const size_t end = a.inputs * (worker + 1) / threads;
      for (size_t channel = a.inputs * worker / threads; channel < end; ++channel) {
        TransformChannel(a, tiles, channel, block.first, block.count, buffers);
        StoreChannel(block, a.inputs, channel, buffers);
      }
    });

    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      float* weights = memory + transformed_values + worker * worker_values;
      float* sums = weights + weight_values;
      float* top = sums + sum_values;
      float* bottom = top + 2 * block_columns;
      const size_t columns = panels * kColumns;
      for (size_t row_block; (row_block = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < row_blocks;) {
        const size_t first_row = row_block * kWinogradBlockRows;
        const size_t rows =
            a.outputs - first_row < kWinogradBlockRows ? a.outputs - first_row : kWinogradBlockRows;
        for (size_t k = 0; k < a.inputs; k += pass) {
          const size_t depth = a.inputs - k < pass ? a.inputs - k : pass;
          TransformWeights(a.weight, a.inputs, first_row, rows, k, depth, weights);
          for (size_t position = 0; position < 16; ++position) {
            const float* from = WeightsAt(weights, position);
            const auto rows_from = [&](size_t m) { return RowMajor<kBlockStride>{from + m * kBlockStride}; };
            for (size_t p = 0; p < panels; ++p) {
              MultiplyPanel(rows, rows_from,
                            block.values + position * block.position_stride + (p * a.inputs + k) * kColumns,
                            sums + position * kWinogradBlockRows * columns + p * kColumns, columns, depth,
                            k > 0, block.count - p * kColumns <= kLanes);
            }
          }
        }
        for (size_t row = 0; row < rows; ++row) {
          TransformSums(sums + row * columns, kWinogradBlockRows * columns, block.count, top, bottom);
          FinishTiles(a, tiles, block, first_row + row, top, bottom);
        }
      }
    });
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
