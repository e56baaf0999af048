// What follows a product's sums before they are written: bias, per-channel sums, activation, residual.
#pragma once

#include "compute/kernels/vector.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Applies `function(i, value)` to `count` values a vector at a time; `function` sees the offset of the
/// vector.
template <typename Function>
inline void ForVectors(size_t count, const float* from, float* into, const Function& function) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) Store(into + i, function(i, Load(from + i), kLanes));
  if (i < count) StorePart(into + i, function(i, LoadPart(from + i, count - i), count - i), count - i);
}

/// One run of sums of one output channel of one image: out = activation(sum + shift) + residual.
inline void FinishRun(const float* sums, float shift, Activation activation, float slope,
                      const float* residual, float* out, size_t count) {
  if (activation == Activation::kNone && residual == nullptr) {
    ForVectors(count, sums, out, [&](size_t, Vector v, size_t) { return v + shift; });
  } else if (activation == Activation::kNone) {
    ForVectors(count, sums, out,
               [&](size_t i, Vector v, size_t lanes) { return v + shift + LoadUpTo(residual + i, lanes); });
  } else {
    ForVectors(count, sums, out, [&](size_t i, Vector v, size_t lanes) {
      const Vector y = activation == Activation::kLeakyRelu ? LeakyRelu(v + shift, slope)
                                                            : Activate(activation, v + shift);
      return residual == nullptr ? y : y + LoadUpTo(residual + i, lanes);
    });
  }
}

/// Writes `rows` output channels from `first` on, columns [column, column + count). For GEGLU the tile holds
/// the values' rows, then their gates'.
inline void FinishRows(const ConvolutionArguments& a, size_t all_columns, size_t first, size_t rows,
                       size_t column, size_t count, const float* tile, size_t tile_stride) {
  if (a.activation == Activation::kGeglu) {
    const size_t results = a.outputs / 2;
    for (size_t row = 0; row < rows; ++row) {
      const float value_bias = a.bias == nullptr ? 0 : a.bias[first + row];
      const float gate_bias = a.bias == nullptr ? 0 : a.bias[results + first + row];
      const float* gates = tile + (rows + row) * tile_stride;
      ForVectors(count, tile + row * tile_stride, a.out + (first + row) * all_columns + column,
                 [&](size_t i, Vector value, size_t lanes) {
                   return (value + value_bias) * Gelu(LoadUpTo(gates + i, lanes) + gate_bias);
                 });
    }
    return;
  }
  const size_t image = all_columns / a.batch;
  for (size_t row = 0; row < rows; ++row) {
    const size_t channel = first + row;
    const float bias = a.bias == nullptr ? 0 : a.bias[channel];
    size_t done = 0;
    while (done < count) {
      const size_t at = column + done;
      size_t run = count - done;
      float shift = bias;
      if (a.channel_add != nullptr) {
        const size_t left = image - at % image;
        if (left < run) run = left;
        shift += a.channel_add[channel * a.batch + at / image];
      }
      const size_t offset = channel * all_columns + at;
      FinishRun(tile + row * tile_stride + done, shift, a.activation, a.Slope(channel),
                a.residual == nullptr ? nullptr : a.residual + offset, a.out + offset, run);
      done += run;
    }
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
