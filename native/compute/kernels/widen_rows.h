// Stored weights to float32 blocks in the cache.
#pragma once

#include "compute/kernels/widen_blocks.h"
#include "compute/kernels/widen_scaled.h"
#include "files/small_floats.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

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
  for (; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + i * 2, sizeof bits);
    into[i] = WidenHalf(bits);
  }
}

inline void WidenBrains(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + i * 2, sizeof bits);
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    std::memcpy(into + i, &wide, sizeof wide);
  }
}

// E5M2 is the upper half of a float16. E4M3 is one too once its exponent has moved up to its place, but for a
// factor of 2^8, by which its bias is smaller, and for its NaN, which would be 480.
#if defined(__AVX512BW__)

template <StoredDType kDType>
inline __m256i HalvesOfCodes(const std::byte* from) {
  const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  if constexpr (kDType == StoredDType::kF8E5M2) return _mm256_slli_epi16(_mm256_cvtepu8_epi16(codes), 8);
  const __m256i shifted = _mm256_slli_epi16(_mm256_cvtepi8_epi16(codes), 7);
  return _mm256_and_si256(shifted, _mm256_set1_epi16(static_cast<int16_t>(0xbf80)));
}

inline __m512 WidenSixteen(__m256i halves, StoredDType dtype) {
  if (dtype == StoredDType::kBF16) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  const __m512 values = _mm512_cvtph_ps(halves);
  if (dtype != StoredDType::kF8E4M3) return values;
  const __m512 scaled = _mm512_mul_ps(values, _mm512_set1_ps(256.0f));
  const __mmask16 nan = _mm512_cmp_ps_mask(_mm512_abs_ps(scaled), _mm512_set1_ps(480.0f), _CMP_EQ_OQ);
  return _mm512_castsi512_ps(
      _mm512_mask_mov_epi32(_mm512_castps_si512(scaled), nan, _mm512_set1_epi32(0x7fc00000)));
}

#endif

template <StoredDType kDType>
inline void WidenCodes(const std::byte* from, float* into, size_t count) {
  static_assert(kDType == StoredDType::kF8E4M3 || kDType == StoredDType::kF8E5M2);
  size_t i = 0;
#if defined(__AVX512BW__)
  for (; i + 16 <= count; i += 16) {
    _mm512_storeu_ps(into + i, WidenSixteen(HalvesOfCodes<kDType>(from + i), kDType));
  }
#elif defined(__AVX2__)
  for (; i + 8 <= count; i += 8) {
    const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + i));
    if constexpr (kDType == StoredDType::kF8E5M2) {
      _mm256_storeu_ps(into + i, _mm256_cvtph_ps(_mm_slli_epi16(_mm_cvtepu8_epi16(codes), 8)));
    } else {
      const __m128i shifted = _mm_slli_epi16(_mm_cvtepi8_epi16(codes), 7);
      const __m128i halves = _mm_and_si128(shifted, _mm_set1_epi16(static_cast<int16_t>(0xbf80)));
      const __m256 scaled = _mm256_mul_ps(_mm256_cvtph_ps(halves), _mm256_set1_ps(256.0f));
      const __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), scaled);
      const __m256 nan = _mm256_cmp_ps(magnitude, _mm256_set1_ps(480.0f), _CMP_EQ_OQ);
      _mm256_storeu_ps(into + i, _mm256_or_ps(scaled, nan));
    }
  }
#endif
  constexpr const auto& values = kDType == StoredDType::kF8E5M2 ? kF8E5M2Values : kF8E4M3Values;
  for (; i < count; ++i) into[i] = values[static_cast<uint8_t>(from[i])];
}

/// `count` consecutive values of a type that is used where it lies, each with a place of its own.
inline void WidenRun(const std::byte* from, StoredDType dtype, float* into, size_t count) {
  switch (dtype) {
    case StoredDType::kF32:
      std::memcpy(into, from, count * sizeof(float));
      return;
    case StoredDType::kF16:
      WidenHalves(from, into, count);
      return;
    case StoredDType::kBF16:
      WidenBrains(from, into, count);
      return;
    case StoredDType::kF8E4M3:
      WidenCodes<StoredDType::kF8E4M3>(from, into, count);
      return;
    case StoredDType::kF8E5M2:
      WidenCodes<StoredDType::kF8E5M2>(from, into, count);
      return;
    default:
      // A row that says "in place" and has no case here: its numbers must not pass for others.
      for (size_t i = 0; i < count; ++i) into[i] = __builtin_nanf("");
  }
}

/// Codes of a byte each, whose scales lie beside them.
inline void WidenBytes(const std::byte* from, StoredDType dtype, float* into, size_t count) {
  if (dtype != StoredDType::kI8) {
    WidenRun(from, dtype, into, count);
    return;
  }
  for (size_t i = 0; i < count; ++i) into[i] = static_cast<float>(static_cast<int8_t>(from[i]));
}

/// Values [first, first + count) of a weight, as float32.
inline void WidenValues(const StoredMatrix& weight, size_t first, float* into, size_t count) {
  if (weight.scales.kind != ScaleKind::kNone) {
    WidenScaled(weight, first, into, count, [&](const std::byte* from, float* values, size_t n) {
      WidenBytes(from, weight.dtype, values, n);
    });
    return;
  }
  if (IsBlockType(weight.dtype)) {
    WidenBlocks(weight.data, weight.dtype, first, into, count);
  } else {
    WidenRun(weight.data + BytesOf(weight.dtype, first), weight.dtype, into, count);
  }
  if (weight.scale == 1.0f) return;
  for (size_t i = 0; i < count; ++i) into[i] *= weight.scale;
}

/// Values [first, first + count) of a weight, rounded to pairs; what is missing of the last is zero.
template <typename Steps>
inline void RoundValues(const StoredMatrix& weight, size_t first, float* into, size_t count) {
  if (weight.dtype == StoredDType::kBF16 && weight.scale == 1.0f) {
    std::memcpy(into, weight.data + BytesOf(weight.dtype, first), count * sizeof(uint16_t));
  } else {
    // A block of the longest types: what its values share is then unpacked once.
    constexpr size_t kTogether = 256;
    float wide[kTogether];
    for (size_t i = 0; i < count; i += kTogether) {
      const size_t values = count - i < kTogether ? count - i : kTogether;
      if (values < kTogether) std::memset(wide, 0, sizeof wide);
      WidenValues(weight, first + i, wide, values);
      for (size_t lane = 0; lane < values; lane += kLanes) Steps::StoreRow(into, i + lane, Load(wide + lane));
    }
  }
  if (count % Steps::kValues != 0) {
    std::memset(reinterpret_cast<std::byte*>(into) + count * sizeof(uint16_t), 0, sizeof(uint16_t));
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
