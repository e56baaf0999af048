// Lays a convolution's input out as panels of kColumns output pixels: panel, step (input channel and kernel
// tap), column.
#pragma once

#include "gemm.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// A convolution seen as a matrix product.
struct Product {
  size_t rows, depth, columns, panels;
  bool pointwise;  // 1×1, stride 1, no padding: columns are the input's own

  explicit Product(const ConvolutionArguments& a)
      : rows(a.outputs),
        depth(a.inputs * a.kernel_height * a.kernel_width),
        columns(a.batch * a.out_height * a.out_width),
        panels((columns + kColumns - 1) / kColumns),
        pointwise(a.kernel_height == 1 && a.kernel_width == 1 && a.stride == 1 && a.out_height == a.height &&
                  a.out_width == a.width) {}
};

/// Panels [panel, panel + panels) of a product whose columns are the input's own.
inline void PackPointwise(const ConvolutionArguments& a, const Product& product, size_t panel, size_t panels,
                          size_t step_begin, size_t step_end, float* into) {
  const size_t first = panel * kColumns;
  const size_t left = product.columns - first;
  const size_t count = left < panels * kColumns ? left : panels * kColumns;
  const size_t whole = count / kColumns;
  const size_t panel_values = product.depth * kColumns;
  // A step's columns lie side by side, steps far apart: each step is read once, for all panels.
  for (size_t k = step_begin; k < step_end; ++k) {
    const float* row = a.Channel(k) + first;
    float* row_into = into + k * kColumns;
    for (size_t p = 0; p < whole; ++p) {
      Store(row_into + p * panel_values, Load(row + p * kColumns));
      Store(row_into + p * panel_values + kLanes, Load(row + p * kColumns + kLanes));
    }
    if (whole < panels) {
      float* last = row_into + whole * panel_values;
      for (size_t lane = 0; lane < kColumns; ++lane) {
        last[lane] = whole * kColumns + lane < count ? row[whole * kColumns + lane] : 0;
      }
    }
  }
}

/// Output pixels of one panel that lie side by side in one output row.
struct PixelRun {
  size_t lane, count, image, y, x;
};

inline size_t FindRuns(const ConvolutionArguments& a, const Product& product, size_t panel, PixelRun* runs) {
  size_t found = 0;
  size_t column = panel * kColumns;
  const size_t end = column + kColumns < product.columns ? column + kColumns : product.columns;
  const size_t first = column;
  while (column < end) {
    const size_t x = column % a.out_width;
    const size_t row = column / a.out_width;
    const size_t left = a.out_width - x;
    const size_t count = end - column < left ? end - column : left;
    runs[found++] = {column - first, count, row / a.out_height, row % a.out_height, x};
    column += count;
  }
  return found;
}

inline void PackTaps(const ConvolutionArguments& a, const Product& product, size_t panel,
                     size_t channel_begin, size_t channel_end, float* into) {
  PixelRun runs[kColumns];
  const size_t run_count = FindRuns(a, product, panel, runs);
  const size_t taps = a.kernel_height * a.kernel_width;
  const size_t plane = a.height * a.width;
  std::memset(into + channel_begin * taps * kColumns, 0,
              (channel_end - channel_begin) * taps * kColumns * sizeof(float));
  for (size_t tap = 0; tap < taps; ++tap) {
    for (size_t r = 0; r < run_count; ++r) {
      const PixelRun& run = runs[r];
      const ptrdiff_t y = static_cast<ptrdiff_t>(run.y * a.stride + tap / a.kernel_width - a.pad_top);
      if (y < 0 || y >= static_cast<ptrdiff_t>(a.height)) continue;
      const ptrdiff_t x = static_cast<ptrdiff_t>(run.x * a.stride + tap % a.kernel_width - a.pad_left);
      const ptrdiff_t step = static_cast<ptrdiff_t>(a.stride);
      const ptrdiff_t count = static_cast<ptrdiff_t>(run.count);
      ptrdiff_t begin = x < 0 ? (-x + step - 1) / step : 0;
      ptrdiff_t end =
          x >= static_cast<ptrdiff_t>(a.width) ? 0 : (static_cast<ptrdiff_t>(a.width) - 1 - x) / step + 1;
      if (end > count) end = count;
      const size_t row = run.image * plane + static_cast<size_t>(y) * a.width;
      for (size_t channel = channel_begin; channel < channel_end; ++channel) {
        const float* from = a.Channel(channel) + row;
        float* lanes = into + (channel * taps + tap) * kColumns + run.lane;
        for (ptrdiff_t i = begin; i < end; ++i) lanes[i] = from[x + i * step];
      }
    }
  }
}

/// Packs the steps of input channels [channel_begin, channel_end) of `panels` panels, which follow each other
/// in `into`.
inline void PackPanels(const ConvolutionArguments& a, const Product& product, size_t panel, size_t panels,
                       size_t channel_begin, size_t channel_end, float* into) {
  if (product.pointwise) {
    PackPointwise(a, product, panel, panels, channel_begin, channel_end, into);
    return;
  }
  for (size_t p = 0; p < panels; ++p) {
    PackTaps(a, product, panel + p, channel_begin, channel_end, into + p * product.depth * kColumns);
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
