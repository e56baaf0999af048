#include "imaging/taps.h"

#include <algorithm>
#include <cmath>

namespace latentd {
namespace {

// torch's area_pixel_compute_source_index with align_corners off: pixel centres are at i + 0.5. Its x86
// kernels are compiled with FMA, so this rounds once; far from 0 the difference would show.
float SourcePosition(float scale, size_t i) { return std::fmaf(scale, static_cast<float>(i) + 0.5f, -0.5f); }

float Scale(size_t from, size_t to) { return static_cast<float>(from) / static_cast<float>(to); }

constexpr float kCubicA = -0.75f;

float CubicNear(float x) { return std::fmaf(std::fmaf(kCubicA + 2, x, -(kCubicA + 3)) * x, x, 1.0f); }

float CubicFar(float x) {
  return std::fmaf(std::fmaf(std::fmaf(kCubicA, x, -5 * kCubicA), x, 8 * kCubicA), x, -4 * kCubicA);
}

}  // namespace

std::vector<size_t> NearestExactIndex(size_t from, size_t to, bool fused) {
  const float scale = Scale(from, to);
  std::vector<size_t> index(to);
  for (size_t i = 0; i < to; i++) {
    const float position = fused ? SourcePosition(scale, i) : scale * (static_cast<float>(i) + 0.5f) - 0.5f;
    const float nearest = std::floor(std::max(position, 0.0f) + 0.5f);
    index[i] = std::min(static_cast<size_t>(nearest), from - 1);
  }
  return index;
}

Taps LinearTaps(size_t from, size_t to) {
  Taps taps{2, std::vector<size_t>(2 * to), std::vector<float>(2 * to)};
  const float scale = Scale(from, to);
  for (size_t i = 0; i < to; i++) {
    const float position = from == to ? static_cast<float>(i) : std::max(SourcePosition(scale, i), 0.0f);
    const size_t first = std::min(static_cast<size_t>(position), from - 1);
    const float share = std::clamp(position - static_cast<float>(first), 0.0f, 1.0f);
    taps.index[2 * i] = first;
    taps.index[2 * i + 1] = std::min(first + 1, from - 1);
    taps.weight[2 * i] = 1.0f - share;
    taps.weight[2 * i + 1] = share;
  }
  return taps;
}

Taps CubicTaps(size_t from, size_t to) {
  Taps taps{4, std::vector<size_t>(4 * to), std::vector<float>(4 * to)};
  const float scale = Scale(from, to);
  const auto last = static_cast<std::ptrdiff_t>(from) - 1;
  for (size_t i = 0; i < to; i++) {
    const float position = SourcePosition(scale, i);
    const auto first = std::min(static_cast<std::ptrdiff_t>(std::floor(position)), last);
    const float share = std::clamp(position - static_cast<float>(first), 0.0f, 1.0f);
    const float weights[] = {CubicFar(share + 1), CubicNear(share), CubicNear(1 - share),
                             CubicFar(2 - share)};
    for (std::ptrdiff_t tap = 0; tap < 4; tap++) {
      const size_t at = 4 * i + static_cast<size_t>(tap);
      taps.index[at] = static_cast<size_t>(std::clamp<std::ptrdiff_t>(first + tap - 1, 0, last));
      taps.weight[at] = weights[tap];
    }
  }
  return taps;
}

}  // namespace latentd
