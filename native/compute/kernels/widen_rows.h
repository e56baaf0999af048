// Stored weights to float32 blocks in the cache.
#pragma once

#include "compute/kernels/steps.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline float WidenOne(const std::byte* from, StoredDType dtype) {
  if (dtype == StoredDType::kF32) {
    float value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  uint32_t wide;
  if (dtype == StoredDType::kBF16) {
    wide = static_cast<uint32_t>(bits) << 16;
  } else {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const uint32_t magnitude = bits & 0x7fffu;
    // Rebias the exponent by a multiplication, which is right for subnormals too; infinities and NaNs keep
    // theirs.
    uint32_t shifted = magnitude << 13;
    float scaled;
    std::memcpy(&scaled, &shifted, sizeof scaled);
    scaled *= 0x1p112f;
    std::memcpy(&wide, &scaled, sizeof wide);
    if (magnitude >= 0x7c00u) wide = 0x7f800000u | (magnitude & 0x3ffu) << 13;
    wide |= sign;
  }
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

inline void WidenHalves(const std::byte* from, float* into, size_t count) {
  size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i * 2));
    _mm512_storeu_ps(into + i, _mm512_cvtph_ps(halves));
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * 2));
    _mm256_storeu_ps(into + i, _mm256_cvtph_ps(halves));
  }
#elif defined(__aarch64__)
  for (; i + 4 <= count; i += 4) {
    const float16x4_t halves = vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const uint8_t*>(from + i * 2)));
    vst1q_f32(into + i, vcvt_f32_f16(halves));
  }
#endif
  for (; i < count; ++i) into[i] = WidenOne(from + i * 2, StoredDType::kF16);
}

/// `count` consecutive values.
inline void WidenRun(const std::byte* from, StoredDType dtype, float* into, size_t count) {
  switch (dtype) {
    case StoredDType::kF32:
      std::memcpy(into, from, count * sizeof(float));
      return;
    case StoredDType::kF16:
      WidenHalves(from, into, count);
      return;
    default:
      for (size_t i = 0; i < count; ++i) into[i] = WidenOne(from + i * 2, StoredDType::kBF16);
  }
}

/// `count` consecutive values, rounded to pairs; what is missing of the last is zero.
template <typename Steps>
inline void RoundRun(const std::byte* from, StoredDType dtype, float* into, size_t count) {
  if (dtype == StoredDType::kBF16) {
    std::memcpy(into, from, count * sizeof(uint16_t));
  } else {
    const size_t size = dtype == StoredDType::kF32 ? sizeof(float) : sizeof(uint16_t);
    float wide[kLanes];
    for (size_t i = 0; i < count; i += kLanes) {
      const size_t lanes = count - i < kLanes ? count - i : kLanes;
      if (lanes < kLanes) std::memset(wide, 0, sizeof wide);
      WidenRun(from + i * size, dtype, wide, lanes);
      Steps::StoreRow(into, i, Load(wide));
    }
  }
  if (count % Steps::kValues != 0) {
    std::memset(reinterpret_cast<std::byte*>(into) + count * sizeof(uint16_t), 0, sizeof(uint16_t));
  }
}

inline size_t ValueSize(StoredDType dtype) { return dtype == StoredDType::kF32 ? 4 : 2; }

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
