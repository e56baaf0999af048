#include "imaging/resize.h"

#include <algorithm>
#include <vector>

#include "imaging/taps.h"
#include "parallel.h"

namespace latentd {
namespace {

// Values that a thread should have to itself before another one is worth starting.
constexpr size_t kGrain = 1 << 16;

size_t RowGrain(size_t values_per_row) {
  return std::max<size_t>(1, kGrain / std::max<size_t>(1, values_per_row));
}

// torch's upsample_nearest_exact2d takes a kernel without FMA for small outputs and for many interleaved
// channels, and else one that the compiler contracts to FMA (aten/src/ATen/native/cpu/UpSampleKernel.cpp,
// measured on AVX2 and AVX-512).
bool NearestIsFused(size_t channels, Size to) { return channels <= 3 && to.height + to.width > 128; }

void ResizeNearestExact(const float* in, float* out, size_t planes, size_t channels, Size from, Size to) {
  const bool fused = NearestIsFused(channels, to);
  const std::vector<size_t> rows = NearestExactIndex(from.height, to.height, fused);
  const std::vector<size_t> columns = NearestExactIndex(from.width, to.width, fused);
  ParallelFor(planes * to.height, RowGrain(to.width * channels), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const size_t plane = row / to.height;
      const float* source = in + (plane * from.height + rows[row % to.height]) * from.width * channels;
      float* target = out + row * to.width * channels;
      for (const size_t column : columns) {
        target = std::copy_n(source + column * channels, channels, target);
      }
    }
  });
}

/// Each row on its own: `rows` × width × channels.
void ResizeColumns(const Taps& taps, const float* in, float* out, size_t rows, size_t channels, size_t from,
                   size_t to) {
  ParallelFor(rows, RowGrain(to * channels), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const float* source = in + row * from * channels;
      float* target = out + row * to * channels;
      for (size_t i = 0; i < to; i++, target += channels) {
        const size_t* index = &taps.index[i * taps.count];
        const float* weight = &taps.weight[i * taps.count];
        for (size_t channel = 0; channel < channels; channel++) {
          float sum = source[index[0] * channels + channel] * weight[0];
          for (size_t tap = 1; tap < taps.count; tap++) {
            sum += source[index[tap] * channels + channel] * weight[tap];
          }
          target[channel] = sum;
        }
      }
    }
  });
}

/// Each plane on its own: `planes` × height × `row` values.
void ResizeRows(const Taps& taps, const float* in, float* out, size_t planes, size_t row, size_t from,
                size_t to) {
  ParallelFor(planes * to, RowGrain(row), [&](size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++) {
      const float* plane = in + at / to * from * row;
      const size_t* index = &taps.index[at % to * taps.count];
      const float* weight = &taps.weight[at % to * taps.count];
      float* target = out + at * row;
      const float* first = plane + index[0] * row;
      for (size_t i = 0; i < row; i++) target[i] = first[i] * weight[0];
      for (size_t tap = 1; tap < taps.count; tap++) {
        const float* source = plane + index[tap] * row;
        for (size_t i = 0; i < row; i++) target[i] += source[i] * weight[tap];
      }
    }
  });
}

/// Columns before rows, the order in which torch nests its sums.
void ResizeSeparably(const Taps& down, const Taps& across, const float* in, float* out, size_t planes,
                     size_t channels, Size from, Size to) {
  std::vector<float> narrowed(planes * from.height * to.width * channels);
  ResizeColumns(across, in, narrowed.data(), planes * from.height, channels, from.width, to.width);
  ResizeRows(down, narrowed.data(), out, planes, to.width * channels, from.height, to.height);
}

/// Bounds of the source pixels under output pixel i: adaptive_avg_pool2d's.
struct AreaBounds {
  size_t begin;
  size_t end;
};

AreaBounds BoundsUnder(size_t i, size_t from, size_t to) {
  return {i * from / to, ((i + 1) * from + to - 1) / to};
}

void ResizeArea(const float* in, float* out, size_t planes, size_t channels, Size from, Size to) {
  ParallelFor(planes * to.height, RowGrain(to.width * channels), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const float* plane = in + row / to.height * from.height * from.width * channels;
      const AreaBounds rows = BoundsUnder(row % to.height, from.height, to.height);
      for (size_t i = 0; i < to.width; i++) {
        const AreaBounds columns = BoundsUnder(i, from.width, to.width);
        for (size_t channel = 0; channel < channels; channel++) {
          float sum = 0;
          for (size_t y = rows.begin; y < rows.end; y++) {
            for (size_t x = columns.begin; x < columns.end; x++) {
              sum += plane[(y * from.width + x) * channels + channel];
            }
          }
          out[(row * to.width + i) * channels + channel] = sum / static_cast<float>(rows.end - rows.begin) /
                                                           static_cast<float>(columns.end - columns.begin);
        }
      }
    }
  });
}

}  // namespace

std::optional<ResizeMode> ParseResizeMode(std::string_view name) {
  if (name == "nearest-exact") return ResizeMode::kNearestExact;
  if (name == "bilinear") return ResizeMode::kBilinear;
  if (name == "bicubic") return ResizeMode::kBicubic;
  if (name == "area") return ResizeMode::kArea;
  return std::nullopt;
}

void Resize(ResizeMode mode, const float* in, float* out, size_t planes, size_t channels, Size from,
            Size to) {
  switch (mode) {
    case ResizeMode::kNearestExact:
      return ResizeNearestExact(in, out, planes, channels, from, to);
    case ResizeMode::kBilinear:
      return ResizeSeparably(LinearTaps(from.height, to.height), LinearTaps(from.width, to.width), in, out,
                             planes, channels, from, to);
    case ResizeMode::kBicubic:
      return ResizeSeparably(CubicTaps(from.height, to.height), CubicTaps(from.width, to.width), in, out,
                             planes, channels, from, to);
    case ResizeMode::kArea:
      return ResizeArea(in, out, planes, channels, from, to);
  }
}

}  // namespace latentd
