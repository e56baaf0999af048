// Blocks of values that share scales (files/block_types.h) to float32, as fast as the processor can.
#pragma once

#include "compute/kernels/steps.h"
#include "files/block_types.h"
#include "files/small_floats.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline float WidenHalf(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7fffu;
  // Rebias the exponent by a multiplication, which is right for subnormals too; infinities and NaNs keep
  // theirs.
  uint32_t wide = magnitude << 13;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  value *= 0x1p112f;
  std::memcpy(&wide, &value, sizeof wide);
  if (magnitude >= 0x7c00u) wide = 0x7f800000u | (magnitude & 0x3ffu) << 13;
  wide |= sign;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

struct FastHalves {
  static float Widen(uint16_t bits) {
#if defined(__F16C__) || defined(__AVX512F__)
    return _cvtsh_ss(bits);
#else
    return WidenHalf(bits);
#endif
  }
  static float Round(float value) {
#if defined(__F16C__) || defined(__AVX512F__)
    return _cvtsh_ss(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
    return static_cast<float>(static_cast<__fp16>(value));
#else
    return WidenHalf(FloatToHalf(value));
#endif
  }
};

#if defined(__AVX512F__)

inline __m512 RoundToHalves(__m512 values) {
  return _mm512_cvtph_ps(_mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
}

inline __m512 ScaleAndOffset(__m512 q, float scale, float offset, bool rounds) {
  const __m512 product = _mm512_mul_ps(q, _mm512_set1_ps(scale));
  if (!rounds) return _mm512_add_ps(product, _mm512_set1_ps(offset));
  return RoundToHalves(_mm512_add_ps(RoundToHalves(product), _mm512_set1_ps(offset)));
}

#endif
#if defined(__AVX2__)

inline __m256 RoundToHalves(__m256 values) {
  return _mm256_cvtph_ps(_mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
}

inline __m256 ScaleAndOffset(__m256 q, float scale, float offset, bool rounds) {
  const __m256 product = _mm256_mul_ps(q, _mm256_set1_ps(scale));
  if (!rounds) return _mm256_add_ps(product, _mm256_set1_ps(offset));
  return RoundToHalves(_mm256_add_ps(RoundToHalves(product), _mm256_set1_ps(offset)));
}

#endif

/// The values of a group.
inline void WidenGroup(const BlockGroup& group, bool rounds, float* into) {
#if defined(__AVX512F__)
  for (size_t half = 0; half < 2; ++half) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(group.q + 16 * half));
    const __m512 q = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
    _mm512_storeu_ps(into + 16 * half, ScaleAndOffset(q, group.scale[half], group.offset[half], rounds));
  }
#elif defined(__AVX2__)
  for (size_t part = 0; part < 4; ++part) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(group.q + 8 * part));
    const __m256 q = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    _mm256_storeu_ps(into + 8 * part,
                     ScaleAndOffset(q, group.scale[part / 2], group.offset[part / 2], rounds));
  }
#else
  for (size_t i = 0; i < kGroupValues; ++i) into[i] = GroupValue<FastHalves>(group, rounds, i);
#endif
}

/// What the sixteen codes of four bits stand for in a group: a value is then looked up, not computed.
class NibbleTable {
 public:
#if defined(__AVX512F__)
  NibbleTable(const float* q, float scale, float offset, bool rounds)
      : values_(ScaleAndOffset(_mm512_loadu_ps(q), scale, offset, rounds)) {}

  /// The values of sixteen bytes' lower (kShift 0) or upper (4) halves.
  template <int kShift>
  void Look(const std::byte* from, float* into) const {
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    // Only the lowest four bits of an index count.
    _mm512_storeu_ps(into, _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, kShift), values_));
  }

 private:
  __m512 values_;
#elif defined(__AVX2__)
  NibbleTable(const float* q, float scale, float offset, bool rounds)
      : lower_(ScaleAndOffset(_mm256_loadu_ps(q), scale, offset, rounds)),
        upper_(ScaleAndOffset(_mm256_loadu_ps(q + 8), scale, offset, rounds)) {}

  template <int kShift>
  void Look(const std::byte* from, float* into) const {
    for (size_t i = 0; i < 16; i += 8) {
      const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + i)));
      const __m256i index = _mm256_srli_epi32(bytes, kShift);
      // Three bits choose in both halves of the table, the fourth between them.
      const __m256 second = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
      _mm256_storeu_ps(into + i, _mm256_blendv_ps(_mm256_permutevar8x32_ps(lower_, index),
                                                  _mm256_permutevar8x32_ps(upper_, index), second));
    }
  }

 private:
  __m256 lower_, upper_;
#else
  NibbleTable(const float* q, float scale, float offset, bool rounds) {
    for (size_t code = 0; code < 16; ++code) {
      const float product = q[code] * scale;
      values_[code] = rounds ? FastHalves::Round(FastHalves::Round(product) + offset) : product + offset;
    }
  }

  template <int kShift>
  void Look(const std::byte* from, float* into) const {
    for (size_t i = 0; i < 16; ++i) into[i] = values_[static_cast<uint8_t>(from[i]) >> kShift & 15];
  }

 private:
  float values_[16];
#endif
};

inline constexpr float kNibbles[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
inline constexpr float kSignedNibbles[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
inline constexpr float kNonLinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};

/// Groups [first, first + count) of a block of Q4_K.
inline void WidenQ4K(const std::byte* block, size_t first, size_t count, bool rounds, float* into) {
  constexpr size_t kGroups = 8;
  const float scale = FastHalves::Widen(block::HalfBits(block));
  const float minimum = FastHalves::Widen(block::HalfBits(block + 2));
  // Eight scales of six bits, and eight minima.
  uint32_t words[4];
  std::memcpy(words, block + 4, 12);
  constexpr uint32_t kSix = 0x3f3f3f3f, kFour = 0x0f0f0f0f, kTwo = 0x03030303;
  words[3] = (words[2] >> 4 & kFour) | (words[1] >> 6 & kTwo) << 4;
  const uint32_t minima = words[1] & kSix;
  words[1] = (words[2] & kFour) | (words[0] >> 6 & kTwo) << 4;
  words[0] &= kSix;
  words[2] = minima;
  uint8_t parts[2 * kGroups];
  std::memcpy(parts, words, sizeof parts);
  float scales[2 * kGroups];
#if defined(__AVX2__)
  for (size_t half = 0; half < 2; ++half) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(parts + kGroups * half));
    const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)),
                                         _mm256_set1_ps(half == 0 ? scale : minimum));
    _mm256_storeu_ps(scales + kGroups * half, rounds ? RoundToHalves(product) : product);
  }
#else
  for (size_t i = 0; i < 2 * kGroups; ++i) {
    const float product = (i < kGroups ? scale : minimum) * static_cast<float>(parts[i]);
    scales[i] = rounds ? FastHalves::Round(product) : product;
  }
#endif
  for (size_t g = first; g < first + count; ++g, into += kGroupValues) {
    const NibbleTable table(kNibbles, scales[g], -scales[kGroups + g], rounds);
    const std::byte* from = block + 16 + g / 2 * 32;
    for (size_t i = 0; i < kGroupValues; i += 16) {
      if (g % 2 == 0) {
        table.Look<0>(from + i, into + i);
      } else {
        table.Look<4>(from + i, into + i);
      }
    }
  }
}

/// A group of a type whose sixteen bytes hold the first values in their lower halves; false for other types.
inline bool WidenNibbles(const std::byte* block, StoredDType dtype, size_t number, bool rounds, float* into) {
  const auto half = [block](size_t at) { return FastHalves::Widen(block::HalfBits(block + at)); };
  const auto look = [&](const float* q, const std::byte* from, float scale, float offset) {
    const NibbleTable table(q, scale, offset, rounds);
    table.Look<0>(from, into);
    table.Look<4>(from, into + 16);
    return true;
  };
  constexpr float kNoOffset = -0.0f;  // as in UnpackGroup
  switch (RoundedForm(dtype)) {
    case StoredDType::kQ4_0:
      return look(kSignedNibbles, block + 2, half(0), kNoOffset);
    case StoredDType::kQ4_1:
      return look(kNibbles, block + 4, half(0), half(2));
    case StoredDType::kIQ4NL:
      return look(kNonLinear, block + 2, half(0), kNoOffset);
    case StoredDType::kIQ4XS: {
      const int low = block::Byte(block + 4, number / 2) >> (number % 2 == 0 ? 0 : 4) & 15;
      const int high = block::HalfBits(block + 2) >> 2 * number & 3;
      const float scale = half(0) * static_cast<float>((low | high << 4) - 32);
      return look(kNonLinear, block + 8 + 16 * number, rounds ? FastHalves::Round(scale) : scale, kNoOffset);
    }
    default:
      return false;
  }
}

/// Values [first, first + count) of a type whose values share scales; blocks lie from `from` on.
inline void WidenBlocks(const std::byte* from, StoredDType dtype, size_t first, float* into, size_t count) {
  const DTypeRow& row = RowOf(dtype);
  const bool rounds = RoundsToHalf(dtype);
  const size_t end = first + count;
  const size_t groups_in_block = row.block_values / kGroupValues;
  const bool is_q4_k = RoundedForm(dtype) == StoredDType::kQ4_K;
  for (size_t at = first; at < end;) {
    const size_t group_begin = at / kGroupValues * kGroupValues;
    const std::byte* block = from + BytesOf(dtype, group_begin);
    const size_t number = group_begin % row.block_values / kGroupValues;
    const bool whole = at == group_begin && at + kGroupValues <= end;
    if (whole && is_q4_k) {
      const size_t left = (end - at) / kGroupValues;
      const size_t groups = left < groups_in_block - number ? left : groups_in_block - number;
      WidenQ4K(block, number, groups, rounds, into);
      into += groups * kGroupValues;
      at += groups * kGroupValues;
      continue;
    }
    float values[kGroupValues];
    float* group_into = whole ? into : values;
    if (!WidenNibbles(block, dtype, number, rounds, group_into)) {
      WidenGroup(UnpackGroup<FastHalves>(block, dtype, number), rounds, group_into);
    }
    if (whole) {
      into += kGroupValues;
      at += kGroupValues;
      continue;
    }
    for (; at < end && at < group_begin + kGroupValues; ++at) *into++ = values[at - group_begin];
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
