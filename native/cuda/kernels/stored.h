// Stored weights to float32 on the card, number by number.
#pragma once

#include "cuda/numbers.h"
#include "files/block_types.h"

namespace latentd::cuda {

/// E5M2 is the upper half of a float16. E4M3 is one too once its exponent has moved up to its place, but for
/// a factor of 2^8, by which its bias is smaller, and for its NaN, which would be 480.
__device__ __forceinline__ float OfE5M2(uint8_t code) {
  return ToFloat(F16{static_cast<uint16_t>(code << 8)});
}
__device__ __forceinline__ float OfE4M3(uint8_t code) {
  const uint16_t half = static_cast<uint16_t>((code & 0x80) << 8 | (code & 0x7f) << 7);
  // E5M2 has a NaN at the same place.
  return (code & 0x7f) == 0x7f ? OfE5M2(0x7f) : ToFloat(F16{half}) * 256.0f;
}

struct CardHalves {
  __device__ __forceinline__ static float Widen(uint16_t bits) { return ToFloat(F16{bits}); }
  __device__ __forceinline__ static float Round(float value) {
    F16 rounded;
    Store(value, rounded);
    return ToFloat(rounded);
  }
};

/// A value of a block. Weights are read once, when they are packed: a group is unpacked for each of its
/// values.
__device__ __forceinline__ float ReadBlockValue(const void* stored, StoredDType dtype, int64_t index) {
  const auto values = static_cast<int64_t>(BlockValues(dtype));
  const std::byte* block =
      static_cast<const std::byte*>(stored) + index / values * static_cast<int64_t>(BlockBytes(dtype));
  const auto within = static_cast<size_t>(index % values);
  const BlockGroup group = UnpackGroup<CardHalves>(block, dtype, within / kGroupValues);
  return GroupValue<CardHalves>(group, RoundsToHalf(dtype), within % kGroupValues);
}

/// A value of a type that is used where it lies (dtypes.h).
__device__ __forceinline__ float ReadStored(const void* stored, StoredDType dtype, int64_t index) {
  if (IsBlockType(dtype)) return ReadBlockValue(stored, dtype, index);
  switch (dtype) {
    case StoredDType::kF32:
      return static_cast<const float*>(stored)[index];
    case StoredDType::kF16:
      return ToFloat(static_cast<const F16*>(stored)[index]);
    case StoredDType::kBF16:
      return ToFloat(static_cast<const BF16*>(stored)[index]);
    case StoredDType::kF8E4M3:
      return OfE4M3(static_cast<const uint8_t*>(stored)[index]);
    case StoredDType::kF8E5M2:
      return OfE5M2(static_cast<const uint8_t*>(stored)[index]);
    default:
      // A row that says "in place" and has no case here: its numbers must not pass for others.
      return OfE5M2(0x7f);
  }
}

}  // namespace latentd::cuda
