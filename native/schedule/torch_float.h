// Functions of float32 as torch computes them.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace latentd {

// torch has MKL compute these on x86. On an Intel processor MKL rounds correctly but for one value in a
// hundred or fewer, which glibc's float functions don't: they are taken through double here (all but exp, of
// which MKL's error is the larger one). On other processors MKL itself differs by a bit in a tenth of the
// values, and with it ComfyUI.

inline float Log(float x) { return static_cast<float>(std::log(static_cast<double>(x))); }
inline float Expm1(float x) { return static_cast<float>(std::expm1(static_cast<double>(x))); }
inline float Tan(float x) { return static_cast<float>(std::tan(static_cast<double>(x))); }
inline float Atan(float x) { return static_cast<float>(std::atan(static_cast<double>(x))); }

/// x^exponent of a single value; torch multiplies for the exponents 2 and 3 and keeps others doubles
/// (ATen/native/cpu/PowKernel.cpp).
inline float Pow(float x, double exponent) {
  if (exponent == 2) return x * x;
  if (exponent == 3) return x * x * x;
  if (exponent == 0.5) return std::sqrt(x);
  return static_cast<float>(std::pow(static_cast<double>(x), exponent));
}

/// x^exponent of many values, in place: where torch's vectors reach, the exponent is rounded to float32.
inline void Pow(std::span<float> values, double exponent) {
  // Two vectors of AVX-512.
  constexpr size_t kBlock = 32;
  const size_t vectors = values.size() / kBlock * kBlock;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = Pow(values[i], i < vectors ? static_cast<double>(static_cast<float>(exponent)) : exponent);
  }
}

}  // namespace latentd
