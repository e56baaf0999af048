// Functions of float32 as torch computes them.
#pragma once

#include <cmath>

namespace latentd {

// torch has MKL compute these on x86. On an Intel processor MKL rounds correctly but for one value in a
// hundred or fewer, which glibc's float functions don't: they are taken through double here. On other
// processors MKL itself differs by a bit in a tenth of the values, and with it ComfyUI.

inline float Expm1(float x) { return static_cast<float>(std::expm1(static_cast<double>(x))); }
inline float Tan(float x) { return static_cast<float>(std::tan(static_cast<double>(x))); }
inline float Atan(float x) { return static_cast<float>(std::atan(static_cast<double>(x))); }

/// x^exponent; torch multiplies for the exponents 2 and 3 (ATen/native/cpu/PowKernel.cpp).
inline float Pow(float x, float exponent) {
  if (exponent == 2) return x * x;
  if (exponent == 3) return x * x * x;
  if (exponent == 0.5f) return std::sqrt(x);
  return std::pow(x, exponent);
}

}  // namespace latentd
