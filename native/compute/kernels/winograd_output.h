// The results' side of Winograd's transform: Y = Aᵀ·m·A, written as pixels.
#pragma once

#include "finish.h"
#include "winograd_input.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

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

/// From an output channel's sums to its pixels; `pixels` is memory for four values a tile.
inline void FinishChannel(const ConvolutionArguments& a, const Tiles& tiles, const TileBlock& block,
                          size_t channel, const float* sums, size_t position_stride, float* pixels) {
  float* top = pixels;
  float* bottom = pixels + 2 * block.panels * kColumns;
  TransformSums(sums, position_stride, block.count, top, bottom);
  FinishTiles(a, tiles, block, channel, top, bottom);
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
