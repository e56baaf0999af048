#include "random/box_muller.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace latentd {
namespace {

// log, sin and cos after Cephes (Stephen Moshier) in the form of Pommier's and Garberoglio's avx_mathfun,
// which torch includes. torch's build lets GCC contract products and sums; `std::fma` stands where GCC 13 did
// so, because the last bit depends on it.

[[gnu::always_inline]] inline float Log(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  float mantissa = std::bit_cast<float>((bits & 0x807fffffu) | 0x3f000000u);  // in [0.5, 1)
  float exponent = static_cast<float>(static_cast<int32_t>(bits >> 23) - 127) + 1.0f;
  const bool small = mantissa < 0.707106781186547524f;
  exponent -= small ? 1.0f : 0.0f;
  const float added = small ? mantissa : 0.0f;
  const float m = (mantissa - 1.0f) + added;
  const float square = m * m;
  float y = 7.0376836292e-2f;
  y = std::fma(y, m, -1.1514610310e-1f);
  y = std::fma(y, m, 1.1676998740e-1f);
  y = std::fma(y, m, -1.2420140846e-1f);
  y = std::fma(y, m, 1.4249322787e-1f);
  y = std::fma(y, m, -1.6668057665e-1f);
  y = std::fma(y, m, 2.0000714765e-1f);
  y = std::fma(y, m, -2.4999993993e-1f);
  y = std::fma(y, m, 3.3333331174e-1f);
  y = y * m;
  y = std::fma(y, square, exponent * -2.12194440e-4f);
  y = std::fma(-square, 0.5f, y);
  return std::fma(exponent, 0.693359375f, m + y);
}

struct SineCosine {
  float sine;
  float cosine;
};

/// For x >= 0.
[[gnu::always_inline]] inline SineCosine SinCos(float x) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float multiple = static_cast<float>(octant);
  // x modulo pi/4, in extended precision
  float r = std::fma(multiple, -0.78515625f, x);
  r = std::fma(multiple, -2.4187564849853515625e-4f, r);
  r = std::fma(multiple, -3.77489497744594108e-8f, r);
  const float z = r * r;

  float c = 2.443315711809948e-005f;
  c = std::fma(c, z, -1.388731625493765e-003f);
  c = std::fma(c, z, 4.166664568298827e-002f);
  c = c * z;
  c = std::fma(c, z, -(z * 0.5f));
  c = c + 1.0f;

  float s = -1.9515295891e-4f;
  s = std::fma(s, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f);
  s = s * z;
  s = std::fma(s, r, r);

  const bool straight = (octant & 2) == 0;
  const float sine = straight ? s : c;
  const float cosine = straight ? c : s;
  const uint32_t sineSign = static_cast<uint32_t>(octant & 4) << 29;
  const uint32_t cosineSign = static_cast<uint32_t>(~(octant - 2) & 4) << 29;
  return {std::bit_cast<float>(std::bit_cast<uint32_t>(sine) ^ sineSign),
          std::bit_cast<float>(std::bit_cast<uint32_t>(cosine) ^ cosineSign)};
}

[[gnu::always_inline]] inline void Transform(float* block) {
  constexpr float kTwoPi = static_cast<float>(2.0 * std::numbers::pi);
  for (int i = 0; i < 8; ++i) {
    const float radius = std::sqrt(-2.0f * Log(1.0f - block[i]));
    const auto [sine, cosine] = SinCos(kTwoPi * block[i + 8]);
    // torch applies the standard deviation 1 and the mean 0, which turns -0 into 0.
    block[i] = radius * cosine + 0.0f;
    block[i + 8] = radius * sine + 0.0f;
  }
}

void TransformPlain(float* block) { Transform(block); }

#if defined(__x86_64__)
// The same arithmetic; the attribute only makes std::fma one instruction and the loop a vector.
__attribute__((target("avx2,fma"))) void TransformWithFma(float* block) { Transform(block); }
#endif

using Kernel = void (*)(float*);

Kernel Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return TransformWithFma;
#endif
  return TransformPlain;
}

}  // namespace

void BoxMuller16(std::span<float, 16> block) {
  static const Kernel kernel = Choose();
  kernel(block.data());
}

void BoxMuller16(std::span<double, 16> block) {
  for (int i = 0; i < 8; ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - block[i]));
    const double theta = 2.0 * std::numbers::pi * block[i + 8];
    block[i] = radius * std::cos(theta) + 0.0;
    block[i + 8] = radius * std::sin(theta) + 0.0;
  }
}

}  // namespace latentd
