// The two 16-bit formats that tensors are kept in. All arithmetic is float32.
#pragma once

#include <cstdint>

#include "cuda/formats.h"
#include "cuda/platform.h"

namespace latentd::cuda {

struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

#ifdef LATENTD_CUDA_EMULATION
float ToFloat(F16 value);
float ToFloat(BF16 value);
void Store(float value, F16& into);
void Store(float value, BF16& into);
#else
__device__ __forceinline__ float ToFloat(F16 value) { return __half2float(__ushort_as_half(value.bits)); }
__device__ __forceinline__ float ToFloat(BF16 value) {
  return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
}
__device__ __forceinline__ void Store(float value, F16& into) {
  into.bits = __half_as_ushort(__float2half_rn(value));
}
__device__ __forceinline__ void Store(float value, BF16& into) {
  into.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
#endif

/// Two neighbours in one register, the first in the lower half.
template <typename T>
__device__ __forceinline__ uint32_t Pack(float low, float high) {
  T a, b;
  Store(low, a);
  Store(high, b);
  return a.bits | static_cast<uint32_t>(b.bits) << 16;
}

template <typename T>
__device__ __forceinline__ float2 Unpack(uint32_t pair) {
  return {ToFloat(T{static_cast<uint16_t>(pair)}), ToFloat(T{static_cast<uint16_t>(pair >> 16)})};
}

#ifdef LATENTD_CUDA_EMULATION
using emulation::RequireAligned;
#else
__device__ __forceinline__ void RequireAligned(const void*, size_t) {}
#endif

template <typename T>
__device__ __forceinline__ void LoadVector(const T* from, float (&values)[kVector]) {
  RequireAligned(from, sizeof(uint4));
  const uint4 raw = *reinterpret_cast<const uint4*>(from);
  const uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 pair = Unpack<T>(words[i]);
    values[2 * i] = pair.x;
    values[2 * i + 1] = pair.y;
  }
}

template <typename T>
__device__ __forceinline__ void StoreVector(const float (&values)[kVector], T* into) {
  uint4 raw;
  raw.x = Pack<T>(values[0], values[1]);
  raw.y = Pack<T>(values[2], values[3]);
  raw.z = Pack<T>(values[4], values[5]);
  raw.w = Pack<T>(values[6], values[7]);
  RequireAligned(into, sizeof(uint4));
  *reinterpret_cast<uint4*>(into) = raw;
}

}  // namespace latentd::cuda
