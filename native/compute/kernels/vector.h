// Vectors of float32 in the widest form of the instruction set that this translation unit is compiled for,
// and the functions on them. Included by one .cc file an instruction set, always inside
// LATENTD_KERNELS_NAMESPACE, so that no two of them share a symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "compute/kernels.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr size_t kLanes = 16;
#elif defined(__AVX2__)
inline constexpr size_t kLanes = 8;
#else
inline constexpr size_t kLanes = 4;
#endif

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t IntVector __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef float UnalignedVector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

inline Vector Load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }
inline void Store(float* into, Vector value) { *reinterpret_cast<UnalignedVector*>(into) = value; }
inline Vector Broadcast(float value) { return value - Vector{}; }
/// Where either is NaN, the second: what is given first must be a number for NaNs to stay.
inline Vector Max(Vector a, Vector b) { return a > b ? a : b; }
inline Vector Min(Vector a, Vector b) { return a < b ? a : b; }

inline float Sum(Vector v) {
  float sum = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) sum += v[lane];
  return sum;
}

/// The first `count` < kLanes values; other lanes are zero.
inline Vector LoadPart(const float* from, size_t count) {
  alignas(sizeof(Vector)) float lanes[kLanes] = {};
  for (size_t lane = 0; lane < count; ++lane) lanes[lane] = from[lane];
  return Load(lanes);
}

inline Vector LoadUpTo(const float* from, size_t count) {
  return count == kLanes ? Load(from) : LoadPart(from, count);
}

inline void StorePart(float* into, Vector value, size_t count) {
  for (size_t lane = 0; lane < count; ++lane) into[lane] = value[lane];
}

/// e^x to 2 ulp; e^-87 for all that is below, infinity from 88.4 on. NaN stays.
inline Vector Exp(Vector x) {
  x = Min(Broadcast(89.0f), Max(Broadcast(-87.0f), x));
  // x = n·ln2 + r with |r| ≤ ln2/2; adding 1.5·2^23 rounds to a whole number.
  const Vector magic = Broadcast(12582912.0f);
  const Vector n = (x * 1.44269504f + magic) - magic;
  Vector r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vector p = Broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const IntVector exponent = (__builtin_convertvector(n, IntVector) + 127) << 23;
  Vector power;
  std::memcpy(&power, &exponent, sizeof power);
  return p * power;
}

/// erf to 3e-8. Below 1: x·P(x²); above: 1 − e^(−x·Q(x)). Both polynomials are minimax fits of our own, made
/// in float64.
inline Vector Erf(Vector x) {
  const Vector magnitude = Min(Broadcast(4.0f), Max(x, -x));
  const Vector square = x * x;
  Vector low = Broadcast(7.8891226998e-05f);
  low = low * square - 8.0208422282e-04f;
  low = low * square + 5.1895354458e-03f;
  low = low * square - 2.6854444647e-02f;
  low = low * square + 1.1283600178e-01f;
  low = low * square - 3.7612627136e-01f;
  low = low * square + 1.1283791659e+00f;
  Vector high = Broadcast(1.4133680767e-05f);
  high = high * magnitude - 3.5233060186e-04f;
  high = high * magnitude + 3.7646539053e-03f;
  high = high * magnitude - 2.4025495794e-02f;
  high = high * magnitude + 1.0654908835e-01f;
  high = high * magnitude + 6.3495830634e-01f;
  high = high * magnitude + 1.1286971564e+00f;
  const Vector tail = 1.0f - Exp(-magnitude * high);
  const Vector signed_tail = x < 0.0f ? -tail : tail;
  return magnitude < 1.0f ? low * x : signed_tail;
}

inline Vector Sigmoid(Vector x) { return 1.0f / (1.0f + Exp(-x)); }

inline Vector Gelu(Vector x) { return 0.5f * x * (1.0f + Erf(x * 0.70710678118654752f)); }
inline Vector Silu(Vector x) { return x / (1.0f + Exp(-x)); }
/// CLIP's approximation of gelu.
inline Vector QuickGelu(Vector x) { return x / (1.0f + Exp(x * -1.702f)); }

/// gelu by tanh: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as x·σ of twice the angle.
inline Vector GeluTanh(Vector x) {
  return x / (1.0f + Exp(-1.5957691216057308f * (x + 0.044715f * (x * x * x))));
}

inline Vector LeakyRelu(Vector x, float slope) { return x > 0.0f ? x : x * slope; }

inline Vector Activate(Activation activation, Vector x) {
  switch (activation) {
    case Activation::kSilu:
      return Silu(x);
    case Activation::kGelu:
      return Gelu(x);
    case Activation::kQuickGelu:
      return QuickGelu(x);
    case Activation::kGeluTanh:
      return GeluTanh(x);
    default:
      return x;
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
