// Codes whose scales lie beside them (int8, mxfp8, nvfp4, fp8 by rows) to float32.
#pragma once

#include "compute/kernels/widen_blocks.h"
#include "files/small_floats.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline constexpr size_t kFourBitBlock = 16;

/// e2m1: a sign, and eight magnitudes.
inline constexpr float kFourBits[16] = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                        -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

/// Sixteen values of eight bytes, the first of each in its upper half.
inline void WidenFourBits(const std::byte* from, float scale, float* into) {
  std::byte codes[kFourBitBlock];
  for (size_t i = 0; i < kFourBitBlock / 2; ++i) {
    codes[2 * i] = from[i] >> 4;
    codes[2 * i + 1] = from[i] & std::byte{15};
  }
  NibbleTable(kFourBits, scale, -0.0f, false).Look<0>(codes, into);
}

/// Where the byte of a row's block lies among tiles of 128 rows × 4 blocks, `blocks` in a row.
inline size_t TiledPlace(size_t row, size_t block, size_t blocks) {
  const size_t tile = row / 128 * ((blocks + 3) / 4) + block / 4;
  const size_t within = row % 128;
  return tile * 512 + within % 32 * 16 + within / 32 * 4 + block % 4;
}

template <typename WidenCodes>
inline void WidenScaledRow(const StoredMatrix& weight, size_t row, size_t column, float* into, size_t count,
                           const WidenCodes& widen_codes) {
  const StoredScales& scales = weight.scales;
  const size_t scale_row = scales.first_row + row;
  const std::byte* codes = weight.data + BytesOf(weight.dtype, row * scales.row_length);
  const auto multiply = [](float* values, size_t n, float by) {
    for (size_t i = 0; i < n; ++i) values[i] *= by;
  };
  switch (scales.kind) {
    case ScaleKind::kNone:
    case ScaleKind::kOne:
      widen_codes(codes + column, into, count);
      multiply(into, count, weight.scale);
      return;
    case ScaleKind::kRows: {
      float by;
      std::memcpy(&by, scales.data + scale_row * sizeof(float), sizeof by);
      widen_codes(codes + column, into, count);
      multiply(into, count, by);
      return;
    }
    case ScaleKind::kBlocksOf32: {
      widen_codes(codes + column, into, count);
      for (size_t at = column; at < column + count;) {
        const size_t block = at / 32;
        const size_t end = (block + 1) * 32 < column + count ? (block + 1) * 32 : column + count;
        const size_t place = TiledPlace(scale_row, block, scales.row_length / 32);
        multiply(into + at - column, end - at, kF8E8M0Values[static_cast<uint8_t>(scales.data[place])]);
        at = end;
      }
      return;
    }
    case ScaleKind::kBlocksOf16:
      for (size_t at = column; at < column + count;) {
        const size_t block = at / kFourBitBlock;
        const size_t place = TiledPlace(scale_row, block, scales.row_length / kFourBitBlock);
        const float by = weight.scale * kF8E4M3Values[static_cast<uint8_t>(scales.data[place])];
        const std::byte* from = codes + block * (kFourBitBlock / 2);
        if (at % kFourBitBlock == 0 && at + kFourBitBlock <= column + count) {
          WidenFourBits(from, by, into + at - column);
          at += kFourBitBlock;
          continue;
        }
        float values[kFourBitBlock];
        WidenFourBits(from, by, values);
        const size_t end =
            (block + 1) * kFourBitBlock < column + count ? (block + 1) * kFourBitBlock : column + count;
        for (; at < end; ++at) into[at - column] = values[at % kFourBitBlock];
      }
      return;
  }
}

/// Values [first, first + count); `widen_codes` widens codes of a byte each.
template <typename WidenCodes>
inline void WidenScaled(const StoredMatrix& weight, size_t first, float* into, size_t count,
                        const WidenCodes& widen_codes) {
  const size_t length = weight.scales.row_length;
  while (count > 0) {
    const size_t column = first % length;
    const size_t now = length - column < count ? length - column : count;
    WidenScaledRow(weight, first / length, column, into, now, widen_codes);
    first += now;
    into += now;
    count -= now;
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
