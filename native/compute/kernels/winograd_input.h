// The input's side of Winograd's transform: V = Bᵀ·d·B of each patch, packed as panels of kColumns tiles.
#pragma once

#include "compute/kernels/winograd_schemes.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// The output's tiles, counted along rows, then images.
struct Tiles {
  size_t rows, columns, per_image, count, panels;

  /// Of `side`×`side` pixels each.
  Tiles(const ConvolutionArguments& a, size_t side)
      : rows((a.out_height + side - 1) / side),
        columns((a.out_width + side - 1) / side),
        per_image(rows * columns),
        count(a.batch * per_image),
        panels((count + kColumns - 1) / kColumns) {}
};

/// Consecutive tiles that are computed together, as positions × panels × channels × kColumns values.
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

/// Memory of one thread's input transform, for blocks of `tiles` tiles, at most `width` of them in a row.
template <typename Scheme>
struct InputBuffers {
  size_t width, stride;
  float* line;                  // one padded piece of an input row
  float* rows[Scheme::kPatch];  // as many of them after the transform along x: kPatch×width each
  float* tiles;                 // kPositions×stride: the tiles of one block

  static size_t Width(const Tiles& all, size_t tiles) {
    const size_t most = all.columns < tiles ? all.columns : tiles;
    return (most + kLanes - 1) / kLanes * kLanes;
  }
  static size_t Values(size_t width, size_t tiles) {
    return LineValues(width) + Scheme::kPositions * (width + tiles + 2 * kLanes);
  }

  InputBuffers(float* memory, size_t width, size_t tiles) : width(width), stride(tiles + 2 * kLanes) {
    line = memory;
    memory += LineValues(width);
    for (auto& row : rows) {
      row = memory;
      memory += Scheme::kPatch * width;
    }
    this->tiles = memory;
  }

 private:
  static size_t LineValues(size_t width) { return Scheme::kTile * (width + 2 * kLanes); }
};

/// Tiles side by side in one tile row.
struct TileRun {
  size_t tile_row, x, count;
};

/// Transforms the piece of input row `y` (which may lie outside the image) under a run of tiles along x.
template <typename Scheme>
inline void TransformLine(const ConvolutionArguments& a, const float* image, ptrdiff_t y, const TileRun& run,
                          const InputBuffers<Scheme>& buffers, float* into) {
  if (y < 0 || y >= static_cast<ptrdiff_t>(a.height)) {
    std::memset(into, 0, Scheme::kPatch * buffers.width * sizeof(float));
    return;
  }
  const ptrdiff_t from = static_cast<ptrdiff_t>(Scheme::kTile * run.x) - static_cast<ptrdiff_t>(a.pad_left);
  const ptrdiff_t wanted = static_cast<ptrdiff_t>(Scheme::kTile * run.count + 2);
  const ptrdiff_t left = from < 0 ? -from : 0;
  ptrdiff_t right = static_cast<ptrdiff_t>(a.width) - from;
  if (right > wanted) right = wanted;
  for (ptrdiff_t i = 0; i < left; ++i) buffers.line[i] = 0;
  std::memcpy(buffers.line + left, image + static_cast<size_t>(y) * a.width + (from + left),
              static_cast<size_t>(right - left) * sizeof(float));
  for (ptrdiff_t i = right; i < wanted; ++i) buffers.line[i] = 0;
  for (size_t t = 0; t < run.count; t += kLanes) {
    Vector patch[Scheme::kPatch], transformed[Scheme::kPatch];
    Scheme::Split(buffers.line + Scheme::kTile * t, patch);
    Scheme::Input(patch, transformed);
    for (size_t i = 0; i < Scheme::kPatch; ++i) Store(into + i * buffers.width + t, transformed[i]);
  }
}

/// Transforms the lines along y into the positions of a run of tiles; `into(position, tile)` says where each
/// vector of them goes. Lanes beyond the run are of no account.
template <typename Scheme, typename Into>
inline void TransformColumns(const InputBuffers<Scheme>& buffers, size_t count, const Into& into) {
  for (size_t c = 0; c < Scheme::kPatch; ++c) {
    for (size_t t = 0; t < count; t += kLanes) {
      Vector patch[Scheme::kPatch], transformed[Scheme::kPatch];
#pragma GCC unroll 6
      for (size_t r = 0; r < Scheme::kPatch; ++r) patch[r] = Load(buffers.rows[r] + c * buffers.width + t);
      Scheme::Input(patch, transformed);
#pragma GCC unroll 6
      for (size_t r = 0; r < Scheme::kPatch; ++r) Store(into(r * Scheme::kPatch + c, t), transformed[r]);
    }
  }
}

/// Transforms the block's tiles of one channel into buffers.tiles.
template <typename Scheme, typename Into>
inline void TransformChannel(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                             size_t channel, InputBuffers<Scheme>& buffers, const Into& into) {
  const size_t plane = a.height * a.width;
  TileRun last{0, 0, 0};
  for (size_t done = 0; done < block.count;) {
    const size_t tile = block.first + done;
    TileRun run{tile / tiles.columns, tile % tiles.columns, 0};
    const size_t in_row = tiles.columns - run.x;
    run.count = block.count - done < in_row ? block.count - done : in_row;
    const float* image = a.Channel(channel) + run.tile_row / tiles.rows * plane;
    const size_t y_tile = run.tile_row % tiles.rows;
    const ptrdiff_t y = static_cast<ptrdiff_t>(Scheme::kTile * y_tile) - static_cast<ptrdiff_t>(a.pad_top);
    // The last two lines of the tile row above are the first two of this one.
    const bool follows = done > 0 && y_tile > 0 && run.x == last.x && run.count <= last.count;
    for (size_t r = 0; r < 2; ++r) {
      if (follows) {
        float* row = buffers.rows[r];
        buffers.rows[r] = buffers.rows[r + Scheme::kTile];
        buffers.rows[r + Scheme::kTile] = row;
      } else {
        TransformLine(a, image, y + static_cast<ptrdiff_t>(r), run, buffers, buffers.rows[r]);
      }
    }
    for (size_t r = 2; r < Scheme::kPatch; ++r) {
      TransformLine(a, image, y + static_cast<ptrdiff_t>(r), run, buffers, buffers.rows[r]);
    }
    TransformColumns(buffers, run.count, [&](size_t position, size_t t) { return into(position, done + t); });
    done += run.count;
    last = run;
  }
}

/// Transforms the block's tiles of channels [begin, end).
template <typename Scheme>
inline void TransformInput(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                           size_t begin, size_t end, InputBuffers<Scheme> buffers) {
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
    for (size_t position = 0; position < Scheme::kPositions; ++position) {
      const float* row = buffers.tiles + position * buffers.stride;
      for (size_t tile = 0; tile < block.count; tile += kLanes) {
        Store(packed(channel, position, tile), Load(row + tile));
      }
    }
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
