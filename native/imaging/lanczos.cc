#include "imaging/lanczos.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "parallel.h"

namespace latentd {
namespace {

using Bytes = std::vector<uint8_t>;

// Pillow's src/libImaging/Resample.c: weights are fixed-point numbers that leave room for 8 bits of
// overshoot.
constexpr int kPrecisionBits = 32 - 8 - 2;

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double LanczosKernel(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

/// Fixed-point weights of the source pixels from `begin` on.
struct LanczosWindow {
  size_t begin;
  std::vector<int32_t> weights;
};

std::vector<LanczosWindow> Windows(size_t from, size_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double support = 3.0 * stretch;
  std::vector<LanczosWindow> windows(to);
  std::vector<double> weights;
  for (size_t i = 0; i < to; i++) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = static_cast<size_t>(std::max(static_cast<int>(center - support + 0.5), 0));
    const size_t end = std::min(static_cast<size_t>(center + support + 0.5), from);
    weights.clear();
    double sum = 0;
    for (size_t x = begin; x < end; x++) {
      weights.push_back(LanczosKernel((static_cast<double>(x) - center + 0.5) * (1.0 / stretch)));
      sum += weights.back();
    }
    windows[i].begin = begin;
    for (const double weight : weights) {
      const double fixed = (sum != 0.0 ? weight / sum : weight) * (1 << kPrecisionBits);
      windows[i].weights.push_back(static_cast<int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return windows;
}

uint8_t ToByte(int32_t fixed) { return static_cast<uint8_t>(std::clamp(fixed >> kPrecisionBits, 0, 255)); }

// Values that are summed side by side.
constexpr size_t kBlock = 256;

/// Resizes the middle axis of outer × `from` × inner.
Bytes ResizeAxis(const Bytes& in, size_t outer, size_t from, size_t to, size_t inner) {
  const std::vector<LanczosWindow> windows = Windows(from, to);
  Bytes out(outer * to * inner);
  ParallelFor(outer * to, std::max<size_t>(1, (1 << 14) / inner), [&](size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++) {
      const LanczosWindow& window = windows[at % to];
      const uint8_t* source = &in[(at / to * from + window.begin) * inner];
      for (size_t block = 0; block < inner; block += kBlock) {
        const size_t width = std::min(kBlock, inner - block);
        std::array<int32_t, kBlock> sums;
        std::fill_n(sums.begin(), width, 1 << (kPrecisionBits - 1));
        for (size_t tap = 0; tap < window.weights.size(); tap++) {
          const uint8_t* row = source + tap * inner + block;
          for (size_t i = 0; i < width; i++) sums[i] += row[i] * window.weights[tap];
        }
        std::transform(sums.begin(), sums.begin() + width, &out[at * inner + block], ToByte);
      }
    }
  });
  return out;
}

// value·alpha / 255, rounded, by Pillow's MULDIV255.
uint8_t TimesAlpha(uint8_t value, uint8_t alpha) {
  const unsigned product = static_cast<unsigned>(value) * alpha + 128;
  return static_cast<uint8_t>(((product >> 8) + product) >> 8);
}

void Premultiply(Bytes& pixels) {
  for (size_t at = 0; at < pixels.size(); at += 4) {
    for (size_t c = 0; c < 3; c++) pixels[at + c] = TimesAlpha(pixels[at + c], pixels[at + 3]);
  }
}

void Unpremultiply(Bytes& pixels) {
  for (size_t at = 0; at < pixels.size(); at += 4) {
    const unsigned alpha = pixels[at + 3];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c < 3; c++) {
      pixels[at + c] = static_cast<uint8_t>(std::min(255u, 255u * pixels[at + c] / alpha));
    }
  }
}

}  // namespace

void Lanczos(const float* in, float* out, size_t batch, size_t channels, Size from, Size to) {
  const size_t count = batch * from.height * from.width * channels;
  Bytes pixels(count);
  // numpy.clip(255·x, 0, 255).astype(uint8) truncates; NaN becomes 0.
  std::transform(in, in + count, pixels.begin(), [](float value) {
    const float scaled = 255.0f * value;
    return static_cast<uint8_t>(scaled > 0 ? std::min(scaled, 255.0f) : 0.0f);
  });
  const bool resized = from.height != to.height || from.width != to.width;
  const bool alpha = channels == 4 && resized;
  if (alpha) Premultiply(pixels);
  if (from.width != to.width)
    pixels = ResizeAxis(pixels, batch * from.height, from.width, to.width, channels);
  if (from.height != to.height) {
    pixels = ResizeAxis(pixels, batch, from.height, to.height, to.width * channels);
  }
  if (alpha) Unpremultiply(pixels);
  std::transform(pixels.begin(), pixels.end(), out,
                 [](uint8_t value) { return static_cast<float>(value) / 255.0f; });
}

}  // namespace latentd
