#include "imaging/opencv_resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "parallel.h"

namespace latentd::opencv {
namespace {

// INTER_RESIZE_COEF_BITS of modules/imgproc/src/resize.cpp.
constexpr int kWeightBits = 11;

struct Tap {
  size_t first;
  size_t second;
  float weight;  // Of the second.
};

std::vector<Tap> LinearTaps(size_t from, size_t to, double scale) {
  std::vector<Tap> taps(to);
  for (size_t i = 0; i < to; i++) {
    const double place = (static_cast<double>(i) + 0.5) * scale - 0.5;
    const double whole = std::floor(place);
    auto weight = static_cast<float>(place - whole);
    auto index = static_cast<int64_t>(whole);
    if (index < 0) index = 0, weight = 0;
    if (index >= static_cast<int64_t>(from) - 1) index = static_cast<int64_t>(from) - 1, weight = 0;
    const auto first = static_cast<size_t>(index);
    taps[i] = {first, std::min(first + 1, from - 1), weight};
  }
  return taps;
}

int FixedWeight(float weight) {
  return static_cast<int>(std::lrint(weight * static_cast<float>(1 << kWeightBits)));
}

void AcrossBytes(const float* row, int* out, const std::vector<Tap>& columns, size_t channels) {
  for (const Tap& tap : columns) {
    const int first = FixedWeight(1.0F - tap.weight);
    const int second = FixedWeight(tap.weight);
    for (size_t c = 0; c < channels; c++) {
      *out++ = static_cast<int>(row[tap.first * channels + c]) * first +
               static_cast<int>(row[tap.second * channels + c]) * second;
    }
  }
}

void AcrossFloats(const float* row, float* out, const std::vector<Tap>& columns, size_t channels) {
  for (const Tap& tap : columns) {
    for (size_t c = 0; c < channels; c++) {
      *out++ =
          row[tap.first * channels + c] * (1.0F - tap.weight) + row[tap.second * channels + c] * tap.weight;
    }
  }
}

/// VResizeLinear of 8-bit pictures: both products lose their low bits before they are summed.
float DownBytes(int above, int below, int first, int second) {
  const int sum = ((first * (above >> 4)) >> 16) + ((second * (below >> 4)) >> 16);
  return static_cast<float>(std::clamp((sum + 2) >> 2, 0, 255));
}

float DownFloats(float above, float below, float first, float second) {
  return above * first + below * second;
}

void HalveBytes(const float* in, float* out, size_t channels, Extents from, Extents to) {
  const size_t row = from.width * channels;
  for (size_t y = 0; y < to.height; y++) {
    const float* above = in + 2 * y * row;
    for (size_t x = 0; x < to.width; x++) {
      for (size_t c = 0; c < channels; c++) {
        const float* corner = above + 2 * x * channels + c;
        const float sum = corner[0] + corner[channels] + corner[row] + corner[row + channels];
        *out++ = std::floor((sum + 2.0F) / 4.0F);
      }
    }
  }
}

}  // namespace

void ResizeLinear(Depth depth, const float* in, float* out, size_t channels, Extents from, Extents to,
                  Scale scale) {
  if (from.height == to.height && from.width == to.width) {
    std::copy_n(in, from.Pixels() * channels, out);
    return;
  }
  const bool bytes = depth == Depth::kBytes;
  const bool halved =
      scale.y == 2.0 && scale.x == 2.0 && to.height * 2 <= from.height && to.width * 2 <= from.width;
  if (bytes && halved) return HalveBytes(in, out, channels, from, to);
  const std::vector<Tap> rows = LinearTaps(from.height, to.height, scale.y);
  const std::vector<Tap> columns = LinearTaps(from.width, to.width, scale.x);
  const size_t length = to.width * channels;
  const auto resize = [&](auto across, auto down, auto weigh, auto zero) {
    ParallelFor(to.height, kRowGrain, [&](size_t begin, size_t end) {
      std::vector<decltype(zero)> above(length), below(length);
      for (size_t y = begin; y < end; y++) {
        const Tap& tap = rows[y];
        across(in + tap.first * from.width * channels, above.data(), columns, channels);
        across(in + tap.second * from.width * channels, below.data(), columns, channels);
        const auto first = weigh(1.0F - tap.weight);
        const auto second = weigh(tap.weight);
        float* target = out + y * length;
        for (size_t i = 0; i < length; i++) target[i] = down(above[i], below[i], first, second);
      }
    });
  };
  if (bytes)
    resize(AcrossBytes, DownBytes, FixedWeight, 0);
  else
    resize(
        AcrossFloats, DownFloats, [](float weight) { return weight; }, 0.0F);
}

}  // namespace latentd::opencv
