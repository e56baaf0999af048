// Takes the nine taps of stored 3×3 kernels apart: taps[t·kBlockStride + i] is tap t of kernel i, widened.
#pragma once

#include "compute/kernels/gemm.h"
#include "compute/kernels/widen_rows.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Kernels [begin, count) of those from value `first` of the weight on.
inline void SeparateTapsOneByOne(const StoredMatrix& weight, size_t first, size_t begin, size_t count,
                                 float* taps) {
  constexpr size_t kTogether = 32;
  float wide[9 * kTogether];
  for (size_t done = begin; done < count; done += kTogether) {
    const size_t kernels = count - done < kTogether ? count - done : kTogether;
    WidenValues(weight, first + done * 9, wide, kernels * 9);
    for (size_t i = 0; i < kernels; ++i) {
      for (size_t t = 0; t < 9; ++t) taps[t * kBlockStride + done + i] = wide[i * 9 + t];
    }
  }
}

#if defined(__AVX512BW__)

/// For each tap of 32 kernels in nine registers of 32 halves: which lanes of each pair of registers hold it,
/// and which lanes of the result they fill.
struct TapSelection {
  alignas(64) uint16_t lanes[9][5][32];
  uint32_t filled[9][5];

  constexpr TapSelection() : lanes(), filled() {
    for (unsigned t = 0; t < 9; ++t) {
      for (unsigned i = 0; i < 32; ++i) {
        const unsigned at = i * 9 + t;
        lanes[t][at / 64][i] = static_cast<uint16_t>(at % 64);
        filled[t][at / 64] |= 1u << i;
      }
    }
  }
};

inline constexpr TapSelection kTapSelection;

/// 32 kernels of halves (or of what `dtype`'s codes are as halves) at a time.
inline void SeparateHalves(const std::byte* from, StoredDType dtype, size_t first, float* taps) {
  __m512i all[10];
  for (size_t r = 0; r < 9; ++r) all[r] = _mm512_loadu_si512(from + r * 64);
  all[9] = all[8];
#pragma GCC unroll 9
  for (size_t t = 0; t < 9; ++t) {
    __m512i tap = _mm512_permutex2var_epi16(all[0], _mm512_load_si512(kTapSelection.lanes[t][0]), all[1]);
#pragma GCC unroll 4
    for (size_t pair = 1; pair < 5; ++pair) {
      const __m512i more = _mm512_permutex2var_epi16(
          all[2 * pair], _mm512_load_si512(kTapSelection.lanes[t][pair]), all[2 * pair + 1]);
      tap = _mm512_mask_mov_epi16(tap, kTapSelection.filled[t][pair], more);
    }
    float* into = taps + t * kBlockStride + first;
    _mm512_storeu_ps(into, WidenSixteen(_mm512_castsi512_si256(tap), dtype));
    _mm512_storeu_ps(into + 16, WidenSixteen(_mm512_extracti64x4_epi64(tap, 1), dtype));
  }
}

/// 32 kernels of eight bits a value at a time.
template <StoredDType kDType>
inline void SeparateCodes(const std::byte* from, size_t first, float* taps) {
  alignas(64) std::byte halves[32 * 9 * 2];
  for (size_t i = 0; i < 32 * 9; i += 16) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(halves + i * 2), HalvesOfCodes<kDType>(from + i));
  }
  SeparateHalves(halves, kDType, first, taps);
}

#endif

/// `count` kernels from value `first` of the weight on, which need not be aligned.
inline void SeparateTaps(const StoredMatrix& weight, size_t first, size_t count, float* taps) {
  size_t done = 0;
#if defined(__AVX512BW__)
  const StoredDType dtype = weight.dtype;
  const bool one_by_one = dtype == StoredDType::kF32 || IsBlockType(dtype) || weight.scale != 1.0f;
  for (; done + 32 <= count && !one_by_one; done += 32) {
    const std::byte* kernels = weight.data + BytesOf(dtype, first + done * 9);
    if (dtype == StoredDType::kF8E4M3) {
      SeparateCodes<StoredDType::kF8E4M3>(kernels, done, taps);
    } else if (dtype == StoredDType::kF8E5M2) {
      SeparateCodes<StoredDType::kF8E5M2>(kernels, done, taps);
    } else {
      SeparateHalves(kernels, dtype, done, taps);
    }
  }
#endif
  SeparateTapsOneByOne(weight, first, done, count, taps);
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
