// The input's side of Winograd's transform: V = Bᵀ·d·B of each 4×4 patch, packed as panels of kColumns tiles.
#pragma once

#include "gemm.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// The output's 2×2 tiles, counted along rows, then images.
struct Tiles {
  size_t rows, columns, per_image, count, panels;

  explicit Tiles(const ConvolutionArguments& a)
      : rows((a.out_height + 1) / 2),
        columns((a.out_width + 1) / 2),
        per_image(rows * columns),
        count(a.batch * per_image),
        panels((count + kColumns - 1) / kColumns) {}
};

/// Consecutive tiles that are computed together, as 16 positions × panels × channels × kColumns values.
struct TileBlock {
  size_t first, count, panels;
  float* values;
  size_t position_stride;

  /// Panels [first_panel, first_panel + panels) of `tiles`, fewer at the end.
  TileBlock(const Tiles& tiles, size_t first_panel, size_t most_panels, size_t inputs, float* values)
      : first(first_panel * kColumns), values(values) {
    const size_t left = tiles.panels - first_panel;
    panels = left < most_panels ? left : most_panels;
    const size_t tiles_left = tiles.count - first;
    count = tiles_left < panels * kColumns ? tiles_left : panels * kColumns;
    position_stride = panels * inputs * kColumns;
  }
};

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

/// Memory of one thread's input transform, for blocks of `tiles` tiles, at most `width` of them in a row.
struct InputBuffers {
  size_t width, stride;
  float* line;     // one padded piece of an input row
  float* rows[4];  // four of them after the transform along x: 4×width each
  float* tiles;    // 16×stride: the tiles of one block

  static size_t Width(const Tiles& all, size_t tiles) {
    const size_t most = all.columns < tiles ? all.columns : tiles;
    return (most + kLanes - 1) / kLanes * kLanes;
  }
  static size_t Values(size_t width, size_t tiles) {
    return 2 * width + 4 * kLanes + 16 * width + 16 * (tiles + 2 * kLanes);
  }

  InputBuffers(float* memory, size_t width, size_t tiles) : width(width), stride(tiles + 2 * kLanes) {
    line = memory;
    memory += 2 * width + 4 * kLanes;
    for (auto& row : rows) {
      row = memory;
      memory += 4 * width;
    }
    this->tiles = memory;
  }
};

/// Tiles side by side in one tile row.
struct TileRun {
  size_t tile_row, x, count;
};

/// Transforms the piece of input row `y` (which may lie outside the image) under a run of tiles along x.
inline void TransformLine(const ConvolutionArguments& a, const float* image, ptrdiff_t y, const TileRun& run,
                          const InputBuffers& buffers, float* into) {
  if (y < 0 || y >= static_cast<ptrdiff_t>(a.height)) {
    std::memset(into, 0, 4 * buffers.width * sizeof(float));
    return;
  }
  const ptrdiff_t from = static_cast<ptrdiff_t>(2 * run.x) - static_cast<ptrdiff_t>(a.pad_left);
  const ptrdiff_t wanted = static_cast<ptrdiff_t>(2 * run.count + 2);
  const ptrdiff_t left = from < 0 ? -from : 0;
  ptrdiff_t right = static_cast<ptrdiff_t>(a.width) - from;
  if (right > wanted) right = wanted;
  for (ptrdiff_t i = 0; i < left; ++i) buffers.line[i] = 0;
  std::memcpy(buffers.line + left, image + static_cast<size_t>(y) * a.width + (from + left),
              static_cast<size_t>(right - left) * sizeof(float));
  for (ptrdiff_t i = right; i < wanted; ++i) buffers.line[i] = 0;
  for (size_t t = 0; t < run.count; t += kLanes) {
    Vector d0, d1, d2, d3;
    Deinterleave(buffers.line + 2 * t, d0, d1);
    Deinterleave(buffers.line + 2 * t + 2, d2, d3);
    Store(into + t, d0 - d2);
    Store(into + buffers.width + t, d1 + d2);
    Store(into + 2 * buffers.width + t, d2 - d1);
    Store(into + 3 * buffers.width + t, d1 - d3);
  }
}

/// Transforms four lines along y into the 16 positions of a run of tiles; `into(position, tile)` says where
/// each vector of them goes. Lanes beyond the run are of no account.
template <typename Into>
inline void TransformColumns(const InputBuffers& buffers, size_t count, const Into& into) {
  for (size_t c = 0; c < 4; ++c) {
    for (size_t t = 0; t < count; t += kLanes) {
      const size_t from = c * buffers.width + t;
      const Vector d0 = Load(buffers.rows[0] + from);
      const Vector d1 = Load(buffers.rows[1] + from);
      const Vector d2 = Load(buffers.rows[2] + from);
      const Vector d3 = Load(buffers.rows[3] + from);
      Store(into(c, t), d0 - d2);
      Store(into(4 + c, t), d1 + d2);
      Store(into(8 + c, t), d2 - d1);
      Store(into(12 + c, t), d1 - d3);
    }
  }
}

/// Transforms the block's tiles of one channel into buffers.tiles.
template <typename Into>
inline void TransformChannel(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                             size_t channel, InputBuffers& buffers, const Into& into) {
  const size_t plane = a.height * a.width;
  TileRun last{0, 0, 0};
  for (size_t done = 0; done < block.count;) {
    const size_t tile = block.first + done;
    TileRun run{tile / tiles.columns, tile % tiles.columns, 0};
    const size_t in_row = tiles.columns - run.x;
    run.count = block.count - done < in_row ? block.count - done : in_row;
    const float* image = a.x + (channel * a.batch + run.tile_row / tiles.rows) * plane;
    const size_t y_tile = run.tile_row % tiles.rows;
    const ptrdiff_t y = static_cast<ptrdiff_t>(2 * y_tile) - static_cast<ptrdiff_t>(a.pad_top);
    // The last two lines of the tile row above are the first two of this one.
    const bool follows = done > 0 && y_tile > 0 && run.x == last.x && run.count <= last.count;
    for (size_t r = 0; r < 2; ++r) {
      if (follows) {
        float* row = buffers.rows[r];
        buffers.rows[r] = buffers.rows[r + 2];
        buffers.rows[r + 2] = row;
      } else {
        TransformLine(a, image, y + static_cast<ptrdiff_t>(r), run, buffers, buffers.rows[r]);
      }
    }
    for (size_t r = 2; r < 4; ++r) {
      TransformLine(a, image, y + static_cast<ptrdiff_t>(r), run, buffers, buffers.rows[r]);
    }
    TransformColumns(buffers, run.count, [&](size_t position, size_t t) { return into(position, done + t); });
    done += run.count;
    last = run;
  }
}

/// Transforms the block's tiles of channels [begin, end).
inline void TransformInput(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                           size_t begin, size_t end, InputBuffers buffers) {
  const auto packed = [&](size_t channel, size_t position, size_t tile) {
    return block.values + position * block.position_stride +
           (tile / kColumns * a.inputs + channel) * kColumns + tile % kColumns;
  };
  // Where tile rows are whole vectors, each vector lies within one panel.
  const bool direct = tiles.columns % kLanes == 0;
  for (size_t channel = begin; channel < end; ++channel) {
    if (direct) {
      TransformChannel(a, tiles, block, channel, buffers,
                       [&](size_t position, size_t tile) { return packed(channel, position, tile); });
      continue;
    }
    // Otherwise runs of tiles are joined first; each overwrites the lanes behind the one before.
    TransformChannel(a, tiles, block, channel, buffers, [&](size_t position, size_t tile) {
      return buffers.tiles + position * buffers.stride + tile;
    });
    for (size_t position = 0; position < 16; ++position) {
      const float* row = buffers.tiles + position * buffers.stride;
      for (size_t tile = 0; tile < block.count; tile += kLanes) {
        Store(packed(channel, position, tile), Load(row + tile));
      }
    }
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
