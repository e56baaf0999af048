#include "imaging/opencv_warp.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"

namespace latentd::opencv {
namespace {

// INTER_BITS, and AB_BITS of modules/imgproc/src/imgwarp.cpp.
constexpr int kPlaceBits = 5;
constexpr int kSteps = 1 << kPlaceBits;
constexpr int kMatrixBits = 10;
constexpr double kMatrixScale = 1 << kMatrixBits;
constexpr int64_t kRound = (1 << kMatrixBits) / kSteps / 2;

template <typename Value>
Value Between(const Value corners[4], int fraction_y, int fraction_x) {
  constexpr float kStep = 1.0F / kSteps;
  const float x = static_cast<float>(fraction_x) * kStep;
  const float y = static_cast<float>(fraction_y) * kStep;
  return corners[0] * ((1 - y) * (1 - x)) + corners[1] * ((1 - y) * x) + corners[2] * (y * (1 - x)) +
         corners[3] * (y * x);
}

/// The weights are multiples of 1/1024, so that nothing is lost before the sum is rounded.
float BetweenBytes(const float corners[4], int fraction_y, int fraction_x) {
  return std::floor(Between(corners, fraction_y, fraction_x) + 0.5F);
}

template <typename Value, typename Interpolate>
void Warp(const Value* in, Value* out, size_t channels, Extents from, Region region, const Affine& matrix,
          const Value* border, const Interpolate& interpolate) {
  const Affine inverse = Inverted(matrix);
  const auto height = static_cast<int64_t>(from.height);
  const auto width = static_cast<int64_t>(from.width);
  ParallelFor(region.height, kRowGrain, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const WarpRow places(inverse, region.top + row);
      Value* target = out + row * region.width * channels;
      for (size_t column = 0; column < region.width; column++) {
        const auto [y, x, fraction_y, fraction_x] = places.At(region.left + column);
        if (y < -1 || y >= height || x < -1 || x >= width) {
          target = std::copy_n(border, channels, target);
          continue;
        }
        const auto value = [&](int64_t at_y, int64_t at_x, size_t c) {
          const bool inside = at_y >= 0 && at_y < height && at_x >= 0 && at_x < width;
          return inside ? in[static_cast<size_t>(at_y * width + at_x) * channels + c] : border[c];
        };
        for (size_t c = 0; c < channels; c++) {
          const Value corners[4] = {value(y, x, c), value(y, x + 1, c), value(y + 1, x, c),
                                    value(y + 1, x + 1, c)};
          *target++ = interpolate(corners, fraction_y, fraction_x);
        }
      }
    }
  });
}

}  // namespace

Affine Inverted(const Affine& m) {
  const double determinant = m[0] * m[4] - m[1] * m[3];
  const double d = determinant == 0 ? 0 : 1 / determinant;
  const double a = m[4] * d, b = -m[1] * d, c = -m[3] * d, e = m[0] * d;
  return {a, b, -a * m[2] - b * m[5], c, e, -c * m[2] - e * m[5]};
}

WarpRow::WarpRow(const Affine& inverse, size_t y)
    : step_x_(inverse[0]),
      step_y_(inverse[3]),
      start_x_(std::llrint((inverse[1] * static_cast<double>(y) + inverse[2]) * kMatrixScale) + kRound),
      start_y_(std::llrint((inverse[4] * static_cast<double>(y) + inverse[5]) * kMatrixScale) + kRound) {}

WarpRow::Place WarpRow::At(size_t column) const {
  const auto place = [column](double step, int64_t start) {
    return (start + std::llrint(step * static_cast<double>(column) * kMatrixScale)) >>
           (kMatrixBits - kPlaceBits);
  };
  const int64_t x = place(step_x_, start_x_);
  const int64_t y = place(step_y_, start_y_);
  return {y >> kPlaceBits, x >> kPlaceBits, static_cast<int>(y & (kSteps - 1)),
          static_cast<int>(x & (kSteps - 1))};
}

void WarpAffine(Depth depth, const float* in, float* out, size_t channels, Extents from, Region region,
                const Affine& matrix, const float* border) {
  if (depth == Depth::kBytes)
    Warp(in, out, channels, from, region, matrix, border, BetweenBytes);
  else
    Warp(in, out, channels, from, region, matrix, border, Between<float>);
}

void WarpAffine(const double* in, double* out, Extents from, Region region, const Affine& matrix) {
  const double border = 0;
  Warp(in, out, 1, from, region, matrix, &border, Between<double>);
}

}  // namespace latentd::opencv
