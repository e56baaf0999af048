#include "imaging/bislerp.h"

#include <cmath>
#include <vector>

#include "imaging/taps.h"
#include "parallel.h"

namespace latentd {
namespace {

/// The two source pixels of an output pixel and the share of the second one.
struct Pair {
  size_t first;
  size_t second;
  float ratio;
};

// Positions are found by interpolating 0, 1, 2, … and 1, 2, …, n−1, n−1 linearly and truncating both.
std::vector<Pair> Pairs(size_t from, size_t to) {
  const Taps taps = LinearTaps(from, to);
  std::vector<Pair> pairs(to);
  for (size_t i = 0; i < to; i++) {
    const auto interpolate = [&](auto&& value) {
      return value(taps.index[2 * i]) * taps.weight[2 * i] +
             value(taps.index[2 * i + 1]) * taps.weight[2 * i + 1];
    };
    const float first = interpolate([](size_t index) { return static_cast<float>(index); });
    const float second = interpolate(
        [&](size_t index) { return static_cast<float>(index + 1 < from ? index + 1 : from - 1); });
    pairs[i] = {static_cast<size_t>(first), static_cast<size_t>(second), first - std::floor(first)};
  }
  return pairs;
}

float Norm(const float* vector, size_t channels, size_t stride) {
  float sum = 0;
  for (size_t c = 0; c < channels; c++) sum += vector[c * stride] * vector[c * stride];
  return std::sqrt(sum);
}

float Normalized(float value, float norm) { return norm == 0 ? 0 : value / norm; }

/// Interpolates two channel vectors whose values lie `stride` apart into `out`, `out_stride` apart.
void Slerp(const float* a, const float* b, size_t channels, size_t stride, float ratio, float* out,
           size_t out_stride) {
  const float norm_a = Norm(a, channels, stride);
  const float norm_b = Norm(b, channels, stride);
  float dot = 0;
  for (size_t c = 0; c < channels; c++) {
    dot += Normalized(a[c * stride], norm_a) * Normalized(b[c * stride], norm_b);
  }
  if (dot > 1 - 1e-5f) {
    for (size_t c = 0; c < channels; c++) out[c * out_stride] = a[c * stride];
    return;
  }
  if (dot < 1e-5f - 1) {
    for (size_t c = 0; c < channels; c++) {
      out[c * out_stride] = a[c * stride] * (1.0f - ratio) + b[c * stride] * ratio;
    }
    return;
  }
  const float omega = std::acos(dot);
  const float sine = std::sin(omega);
  const float weight_a = std::sin((1.0f - ratio) * omega) / sine;
  const float weight_b = std::sin(ratio * omega) / sine;
  // Not a slerp of the lengths, these mix linearly: ComfyUI finds it more pleasing.
  const float length = norm_a * (1.0f - ratio) + norm_b * ratio;
  for (size_t c = 0; c < channels; c++) {
    out[c * out_stride] =
        (weight_a * Normalized(a[c * stride], norm_a) + weight_b * Normalized(b[c * stride], norm_b)) *
        length;
  }
}

/// Resizes the middle axis of batch·channels × outer × `from` × inner.
void SlerpAxis(const float* in, float* out, size_t batch, size_t channels, size_t outer, size_t from,
               size_t to, size_t inner) {
  const std::vector<Pair> pairs = Pairs(from, to);
  const size_t stride = outer * from * inner;
  const size_t out_stride = outer * to * inner;
  ParallelFor(batch * outer * to, 1 << 10, [&](size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++) {
      const Pair& pair = pairs[at % to];
      const size_t line = at / to % outer;
      const size_t row = at / to / outer;
      const float* source = in + row * channels * stride + line * from * inner;
      float* target = out + row * channels * out_stride + (line * to + at % to) * inner;
      for (size_t i = 0; i < inner; i++) {
        Slerp(source + pair.first * inner + i, source + pair.second * inner + i, channels, stride, pair.ratio,
              target + i, out_stride);
      }
    }
  });
}

}  // namespace

void Bislerp(const float* in, float* out, size_t batch, size_t channels, Size from, Size to) {
  std::vector<float> widened(batch * channels * from.height * to.width);
  SlerpAxis(in, widened.data(), batch, channels, from.height, from.width, to.width, 1);
  SlerpAxis(widened.data(), out, batch, channels, 1, from.height, to.height, to.width);
}

}  // namespace latentd
