// The results' side of Winograd's transform: Y = Aᵀ·m·A, written as pixels.
#pragma once

#include "compute/kernels/finish.h"
#include "compute/kernels/winograd_input.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Transforms one output channel's sums to pixels: kTile lines of tiles side by side, `line_stride` values
/// apart.
template <typename Scheme>
inline void TransformSums(const float* sums, size_t position_stride, size_t count, float* lines,
                          size_t line_stride) {
  for (size_t t = 0; t < count; t += kLanes) {
    Vector halves[Scheme::kTile][Scheme::kPatch];
#pragma GCC unroll 6
    for (size_t c = 0; c < Scheme::kPatch; ++c) {
      Vector column[Scheme::kPatch], results[Scheme::kTile];
#pragma GCC unroll 6
      for (size_t r = 0; r < Scheme::kPatch; ++r) {
        column[r] = Load(sums + (r * Scheme::kPatch + c) * position_stride + t);
      }
      Scheme::Sums(column, results);
#pragma GCC unroll 4
      for (size_t r = 0; r < Scheme::kTile; ++r) halves[r][c] = results[r];
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < Scheme::kTile; ++r) {
      Vector pixels[Scheme::kTile];
      Scheme::Sums(halves[r], pixels);
      Scheme::Join(pixels, lines + r * line_stride + Scheme::kTile * t);
    }
  }
}

/// Writes one output channel's pixels of a block of tiles.
template <typename Scheme>
inline void FinishTiles(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                        size_t channel, const float* lines, size_t line_stride) {
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
    const size_t y = Scheme::kTile * (tile_row % tiles.rows);
    const size_t x = Scheme::kTile * tile_x;
    const size_t wide = Scheme::kTile * count;
    const size_t pixels = x + wide > a.out_width ? a.out_width - x : wide;
    const float shift = a.channel_add == nullptr ? bias : bias + a.channel_add[channel * a.batch + image];
    const size_t from = Scheme::kTile * (tile - block.first);
    for (size_t line = 0; line < Scheme::kTile && y + line < a.out_height; ++line) {
      const size_t offset = (channel * a.batch + image) * plane + (y + line) * a.out_width + x;
      FinishRun(lines + line * line_stride + from, shift, a.activation, a.Slope(channel),
                a.residual == nullptr ? nullptr : a.residual + offset, a.out + offset, pixels);
    }
    tile += count;
  }
}

/// From an output channel's sums to its pixels; `pixels` is memory for kTile² values a tile.
template <typename Scheme>
inline void FinishChannel(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                          size_t channel, const float* sums, size_t position_stride, float* pixels) {
  const size_t line_stride = Scheme::kTile * block.panels * kColumns;
  TransformSums<Scheme>(sums, position_stride, block.count, pixels, line_stride);
  FinishTiles<Scheme>(a, tiles, block, channel, pixels, line_stride);
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
