#include "imaging/opencv_filter.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "parallel.h"

namespace latentd::opencv {
namespace {

/// cv::getGaussianKernel; its fixed kernels of up to 7 taps serve a sigma of 0.
std::vector<double> GaussianKernel(size_t taps, double sigma) {
  if (sigma <= 0 && taps == 1) return {1};
  if (sigma <= 0 && taps == 3) return {0.25, 0.5, 0.25};
  if (sigma <= 0 && taps == 5) return {0.0625, 0.25, 0.375, 0.25, 0.0625};
  if (sigma <= 0 && taps == 7) return {0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125};
  const auto count = static_cast<double>(taps);
  if (sigma <= 0) sigma = 0.3 * ((count - 1) * 0.5 - 1) + 0.8;
  std::vector<double> kernel(taps);
  double sum = 0;
  for (size_t i = 0; i < taps; i++) {
    const double x = static_cast<double>(i) - (count - 1) * 0.5;
    sum += kernel[i] = std::exp(-x * x / (2 * sigma * sigma));
  }
  for (double& weight : kernel) weight /= sum;
  return kernel;
}

size_t Mirrored(int64_t index, size_t extent) {
  const auto count = static_cast<int64_t>(extent);
  if (count == 1) return 0;
  while (index < 0 || index >= count) index = index < 0 ? -index : 2 * count - 2 - index;
  return static_cast<size_t>(index);
}

// Whether a white mask comes out as 1 or just below it decides about whole values of the picture, which are
// cut off in the end; so sums are made in OpenCV's order: from left to right along rows, from the middle
// outwards along columns.

/// out[x] = Σ kernel[k]·padded[x + k]
template <typename Value>
void BlurRow(Value* out, size_t width, const std::vector<double>& kernel, const Value* padded) {
  std::fill_n(out, width, Value{0});
  for (size_t k = 0; k < kernel.size(); k++) {
    const auto weight = static_cast<Value>(kernel[k]);
    for (size_t x = 0; x < width; x++) out[x] += weight * padded[x + k];
  }
}

/// out[x] = Σ kernel[k]·row_at(k)[x]
template <typename Value, typename RowAt>
void BlurColumns(Value* out, size_t width, const std::vector<double>& kernel, const RowAt& row_at) {
  const size_t middle = kernel.size() / 2;
  const Value* centre = row_at(middle);
  const auto first = static_cast<Value>(kernel[middle]);
  for (size_t x = 0; x < width; x++) out[x] = first * centre[x];
  for (size_t k = 1; k <= middle; k++) {
    const auto weight = static_cast<Value>(kernel[middle + k]);
    const Value* above = row_at(middle - k);
    const Value* below = row_at(middle + k);
    for (size_t x = 0; x < width; x++) out[x] += weight * (below[x] + above[x]);
  }
}

}  // namespace

template <typename Value>
void GaussianBlur(Value* picture, Extents extents, size_t taps, double sigma) {
  if (taps == 1) return;
  const auto [height, width] = extents;
  const std::vector<double> kernel = GaussianKernel(taps, sigma);
  const auto reach = static_cast<int64_t>(taps / 2);
  std::vector<Value> across(extents.Pixels());
  ParallelFor(height, kRowGrain, [&](size_t begin, size_t end) {
    std::vector<Value> padded(width + taps - 1);
    for (size_t y = begin; y < end; y++) {
      const Value* row = picture + y * width;
      for (size_t i = 0; i < padded.size(); i++) {
        padded[i] = row[Mirrored(static_cast<int64_t>(i) - reach, width)];
      }
      BlurRow(&across[y * width], width, kernel, padded.data());
    }
  });
  ParallelFor(height, kRowGrain, [&](size_t begin, size_t end) {
    for (size_t y = begin; y < end; y++) {
      BlurColumns(picture + y * width, width, kernel, [&](size_t k) {
        return &across[Mirrored(static_cast<int64_t>(y + k) - reach, height) * width];
      });
    }
  });
}

template void GaussianBlur(float* picture, Extents extents, size_t taps, double sigma);
template void GaussianBlur(double* picture, Extents extents, size_t taps, double sigma);

void Erode(float* picture, Extents extents, size_t side) {
  if (side == 0) side = 3;
  const auto [height, width] = extents;
  const size_t before = side / 2;
  const size_t after = side - 1 - before;
  std::vector<float> across(picture, picture + extents.Pixels());
  ParallelFor(height, kRowGrain, [&](size_t begin, size_t end) {
    for (size_t y = begin; y < end; y++) {
      const float* row = picture + y * width;
      float* out = &across[y * width];
      const auto lower = [out](size_t x, float value) { out[x] = std::min(out[x], value); };
      for (size_t shift = 1; shift <= std::min(before, width - 1); shift++) {
        for (size_t x = shift; x < width; x++) lower(x, row[x - shift]);
      }
      for (size_t shift = 1; shift <= std::min(after, width - 1); shift++) {
        for (size_t x = 0; x + shift < width; x++) lower(x, row[x + shift]);
      }
    }
  });
  ParallelFor(height, kRowGrain, [&](size_t begin, size_t end) {
    for (size_t y = begin; y < end; y++) {
      float* out = picture + y * width;
      const size_t first = y - std::min(before, y);
      const size_t last = std::min(y + after, height - 1);
      std::copy_n(&across[first * width], width, out);
      for (size_t at = first + 1; at <= last; at++) {
        const float* row = &across[at * width];
        for (size_t x = 0; x < width; x++) out[x] = std::min(out[x], row[x]);
      }
    }
  });
}

}  // namespace latentd::opencv
