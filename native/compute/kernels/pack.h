// Lays a convolution's input out as panels of kColumns output pixels: panel, step (of input channel and
// kernel tap), column.
#pragma once

#include "compute/kernels/finish.h"
#include "compute/kernels/gemm.h"

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

/// Panels [panel, panel + panels) of a product whose columns are the input's own; `value_begin` is a step's
/// first.
template <typename Steps>
inline void PackPointwise(const ConvolutionArguments& a, const Product& product, size_t panel, size_t panels,
                          size_t value_begin, size_t value_end, float* into) {
  const size_t first = panel * kColumns;
  const size_t left = product.columns - first;
  const size_t count = left < panels * kColumns ? left : panels * kColumns;
  const size_t whole = count / kColumns;
  const size_t panel_values = StepsOf<Steps>(product.depth) * kColumns;
  // A step's columns lie side by side, steps far apart: each step is read once, for all panels.
  for (size_t k = value_begin; k < value_end; k += Steps::kValues) {
    const float* row = a.Channel(k) + first;
    const float* next = Steps::kValues == 2 && k + 1 < value_end ? a.Channel(k + 1) + first : nullptr;
    const auto pack = [&](size_t column, size_t lanes) {
      const Vector second = next != nullptr ? LoadUpTo(next + column, lanes) : Vector{};
      return Steps::Join(LoadUpTo(row + column, lanes), second);
    };
    float* row_into = into + k / Steps::kValues * kColumns;
    for (size_t p = 0; p < whole; ++p) {
      Store(row_into + p * panel_values, pack(p * kColumns, kLanes));
      Store(row_into + p * panel_values + kLanes, pack(p * kColumns + kLanes, kLanes));
    }
    if (whole < panels) {
      float* last = row_into + whole * panel_values;
      for (size_t lane = 0; lane < kColumns; lane += kLanes) {
        const size_t column = whole * kColumns + lane;
        const size_t left = count > column ? count - column : 0;
        Store(last + lane, left == 0 ? Vector{} : pack(column, left < kLanes ? left : kLanes));
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

/// Packs one panel from `x`, which holds the input's values as steps have them; `channel_begin` begins a
/// step.
template <typename Steps>
inline void PackTaps(const ConvolutionArguments& a, const typename Steps::Value* x, const Product& product,
                     size_t panel, size_t channel_begin, size_t channel_end, float* into) {
  using Value = typename Steps::Value;
  PixelRun runs[kColumns];
  const size_t run_count = FindRuns(a, product, panel, runs);
  const size_t taps = a.kernel_height * a.kernel_width;
  const size_t plane = a.height * a.width;
  const size_t first_step = channel_begin * taps / Steps::kValues;
  const size_t steps = StepsOf<Steps>(channel_end * taps) - first_step;
  std::memset(into + first_step * kColumns, 0, steps * kColumns * sizeof(float));
  Value* values = reinterpret_cast<Value*>(into);
  for (size_t tap = 0; tap < taps; ++tap) {
    for (size_t r = 0; r < run_count; ++r) {
      const PixelRun& run = runs[r];
      const ptrdiff_t y = static_cast<ptrdiff_t>(run.y * a.stride + tap / a.kernel_width - a.pad_top);
      if (y < 0 || y >= static_cast<ptrdiff_t>(a.height)) continue;
      const ptrdiff_t left = static_cast<ptrdiff_t>(run.x * a.stride + tap % a.kernel_width - a.pad_left);
      const ptrdiff_t stride = static_cast<ptrdiff_t>(a.stride);
      const ptrdiff_t count = static_cast<ptrdiff_t>(run.count);
      const ptrdiff_t begin = left < 0 ? (-left + stride - 1) / stride : 0;
      ptrdiff_t end = left >= static_cast<ptrdiff_t>(a.width)
                          ? 0
                          : (static_cast<ptrdiff_t>(a.width) - 1 - left) / stride + 1;
      if (end > count) end = count;
      const size_t row = run.image * plane + static_cast<size_t>(y) * a.width;
      for (size_t channel = channel_begin; channel < channel_end; ++channel) {
        const Value* from = Steps::Channel(a, x, channel) + row;
        const size_t k = channel * taps + tap;
        Value* lanes =
            values + (k / Steps::kValues * kColumns + run.lane) * Steps::kValues + k % Steps::kValues;
        for (ptrdiff_t i = begin; i < end; ++i) {
          lanes[i * static_cast<ptrdiff_t>(Steps::kValues)] = from[left + i * stride];
        }
      }
    }
  }
}

/// Packs the steps of input channels [channel_begin, channel_end) of `panels` panels, which follow each other
/// in `into`; `x` is what RoundInput made.
template <typename Steps>
inline void PackPanels(const ConvolutionArguments& a, const typename Steps::Value* x, const Product& product,
                       size_t panel, size_t panels, size_t channel_begin, size_t channel_end, float* into) {
  if (product.pointwise) {
    PackPointwise<Steps>(a, product, panel, panels, channel_begin, channel_end, into);
    return;
  }
  const size_t panel_values = StepsOf<Steps>(product.depth) * kColumns;
  for (size_t p = 0; p < panels; ++p) {
    PackTaps<Steps>(a, x, product, panel + p, channel_begin, channel_end, into + p * panel_values);
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
