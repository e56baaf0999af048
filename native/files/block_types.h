// Number types whose values share scales, block by block, as GGUF files hold them (ggml-common.h lays the
// blocks out). A value is scale·q + offset, of a group of 32 with one scale and offset for each half.
//
// ComfyUI-GGUF (dequant.py) rounds every product and sum to float16 unless it is told to use float32
// (dequant_dtype); the types named F32 here do the latter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "files/dtypes.h"

// Always inlined: kernels are compiled once for each instruction set, and the linker must not mix what comes
// out.
#if defined(__CUDACC__)
#define LATENTD_INLINE __host__ __device__ __forceinline__
#else
#define LATENTD_INLINE __attribute__((always_inline)) inline
#endif

namespace latentd {

inline constexpr size_t kGroupValues = 32;

/// 32 values of a block: (q[i]·scale[i / 16]) + offset[i / 16].
struct BlockGroup {
  int8_t q[kGroupValues];
  float scale[2];
  float offset[2];

  LATENTD_INLINE void SetScales(float first, float second) {
    scale[0] = first;
    scale[1] = second;
  }
  LATENTD_INLINE void SetOffsets(float first, float second) {
    offset[0] = first;
    offset[1] = second;
  }
};

/// Whether the type's values share scales, and so go through `UnpackGroup`.
LATENTD_INLINE constexpr bool IsBlockType(StoredDType dtype) {
  return dtype >= StoredDType::kQ4_0 && dtype <= StoredDType::kIQ4XSF32;
}

/// Whether products and sums of the type's values are rounded to float16.
LATENTD_INLINE constexpr bool RoundsToHalf(StoredDType dtype) {
  return IsBlockType(dtype) && dtype <= StoredDType::kIQ4XS;
}

/// The type with products rounded that lies in files as `dtype` does.
LATENTD_INLINE constexpr StoredDType RoundedForm(StoredDType dtype) {
  constexpr int kForms = static_cast<int>(StoredDType::kQ4_0F32) - static_cast<int>(StoredDType::kQ4_0);
  return dtype < StoredDType::kQ4_0F32 ? dtype : static_cast<StoredDType>(static_cast<int>(dtype) - kForms);
}

/// Values of a block, as the table has them; the card can't read that.
LATENTD_INLINE constexpr size_t BlockValues(StoredDType dtype) {
  const StoredDType form = RoundedForm(dtype);
  return form <= StoredDType::kQ8_0 || form == StoredDType::kIQ4NL ? 32 : 256;
}

LATENTD_INLINE constexpr size_t BlockBytes(StoredDType dtype) {
  constexpr size_t kBytes[] = {18, 20, 22, 24, 34, 84, 110, 144, 176, 210, 18, 136};
  return kBytes[static_cast<int>(RoundedForm(dtype)) - static_cast<int>(StoredDType::kQ4_0)];
}

static_assert([] {
  for (size_t place = static_cast<size_t>(StoredDType::kQ4_0); place < kDTypeCount; ++place) {
    const auto dtype = static_cast<StoredDType>(place);
    if (BlockValues(dtype) != RowOf(dtype).block_values || BlockBytes(dtype) != RowOf(dtype).block_bytes) {
      return false;
    }
  }
  return true;
}());

namespace block {

LATENTD_INLINE uint8_t Byte(const std::byte* at, size_t index) { return static_cast<uint8_t>(at[index]); }

/// A float16's bits, which need not be aligned.
LATENTD_INLINE uint16_t HalfBits(const std::byte* at) {
  return static_cast<uint16_t>(Byte(at, 0) | Byte(at, 1) << 8);
}

/// Sixteen low nibbles, and then the high ones.
LATENTD_INLINE void UnpackNibbles(const std::byte* from, int8_t* q) {
  for (size_t i = 0; i < 16; ++i) {
    q[i] = static_cast<int8_t>(Byte(from, i) & 15);
    q[i + 16] = static_cast<int8_t>(Byte(from, i) >> 4);
  }
}

/// The low or high nibbles of 32 bytes.
LATENTD_INLINE void UnpackHalfOfBytes(const std::byte* from, bool high, int8_t* q) {
  for (size_t i = 0; i < 32; ++i) q[i] = static_cast<int8_t>(Byte(from, i) >> (high ? 4 : 0) & 15);
}

/// Group `g`'s six bits of scale and of minimum among Q4_K's and Q5_K's twelve bytes.
LATENTD_INLINE void SixBits(const std::byte* from, size_t g, int* scale, int* minimum) {
  if (g < 4) {
    *scale = Byte(from, g) & 63;
    *minimum = Byte(from, g + 4) & 63;
  } else {
    *scale = (Byte(from, g + 4) & 15) | (Byte(from, g - 4) >> 6) << 4;
    *minimum = Byte(from, g + 4) >> 4 | (Byte(from, g) >> 6) << 4;
  }
}

/// Value `index` of IQ4's sixteen (ggml's kvalues_iq4nl).
LATENTD_INLINE int8_t NonLinear(int index) {
  constexpr int8_t kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  return kValues[index];
}

LATENTD_INLINE void ToNonLinear(int8_t* q) {
  for (size_t i = 0; i < kGroupValues; ++i) q[i] = NonLinear(q[i]);
}

LATENTD_INLINE void Subtract(int8_t* q, int amount) {
  for (size_t i = 0; i < kGroupValues; ++i) q[i] = static_cast<int8_t>(q[i] - amount);
}

LATENTD_INLINE void AddFifthBits(const std::byte* from, int8_t* q) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) bits |= static_cast<uint32_t>(Byte(from, i)) << 8 * i;
  for (size_t i = 0; i < 32; ++i) q[i] = static_cast<int8_t>(q[i] | static_cast<int>(bits >> i & 1) << 4);
}

}  // namespace block

/// Group `g` of the block at `from`. `Halves` says what a float16's bits are (`Widen`), and rounds float32 to
/// what a float16 holds (`Round`); scales and offsets are rounded where the type is.
template <typename Halves>
LATENTD_INLINE BlockGroup UnpackGroup(const std::byte* from, StoredDType dtype, size_t g) {
  using namespace block;
  const bool rounds = RoundsToHalf(dtype);
  const auto product = [rounds](float a, int b) {
    const float value = a * static_cast<float>(b);
    return rounds ? Halves::Round(value) : value;
  };
  const auto half = [from](size_t at) { return Halves::Widen(HalfBits(from + at)); };
  BlockGroup group;
  group.SetOffsets(-0.0f, -0.0f);  // adding it changes nothing, not even a zero's sign
  switch (RoundedForm(dtype)) {
    case StoredDType::kQ4_0:  // d, 16 bytes of nibbles
      UnpackNibbles(from + 2, group.q);
      Subtract(group.q, 8);
      group.SetScales(half(0), half(0));
      break;
    case StoredDType::kQ4_1:  // d, m, nibbles
      UnpackNibbles(from + 4, group.q);
      group.SetScales(half(0), half(0));
      group.SetOffsets(half(2), half(2));
      break;
    case StoredDType::kQ5_0:  // d, 32 fifth bits, nibbles
      UnpackNibbles(from + 6, group.q);
      AddFifthBits(from + 2, group.q);
      Subtract(group.q, 16);
      group.SetScales(half(0), half(0));
      break;
    case StoredDType::kQ5_1:  // d, m, fifth bits, nibbles
      UnpackNibbles(from + 8, group.q);
      AddFifthBits(from + 4, group.q);
      group.SetScales(half(0), half(0));
      group.SetOffsets(half(2), half(2));
      break;
    case StoredDType::kQ8_0:  // d, 32 signed bytes
      std::memcpy(group.q, from + 2, kGroupValues);
      group.SetScales(half(0), half(0));
      break;
    case StoredDType::kQ2_K: {  // 16 nibbles of scale and minimum, 64 bytes of two bits, d, dmin
      const std::byte* q = from + 16 + g / 4 * 32;
      for (size_t i = 0; i < 32; ++i) group.q[i] = static_cast<int8_t>(Byte(q, i) >> 2 * (g % 4) & 3);
      const uint8_t first = Byte(from, 2 * g), second = Byte(from, 2 * g + 1);
      group.SetScales(product(half(80), first & 15), product(half(80), second & 15));
      group.SetOffsets(-product(half(82), first >> 4), -product(half(82), second >> 4));
      break;
    }
    case StoredDType::kQ3_K: {  // 32 bytes of third bits, 64 of two bits, 12 of sixteen 6-bit scales, d
      const std::byte* q = from + 32 + g / 4 * 32;
      for (size_t i = 0; i < 32; ++i) {
        const int low = Byte(q, i) >> 2 * (g % 4) & 3;
        group.q[i] = static_cast<int8_t>(low - ((Byte(from, i) >> g & 1) != 0 ? 0 : 4));
      }
      const auto scale = [from](size_t s) {
        const int low = Byte(from + 96, s % 8) >> (s < 8 ? 0 : 4) & 15;
        const int high = Byte(from + 104, s % 4) >> 2 * (s / 4) & 3;
        return (low | high << 4) - 32;
      };
      group.SetScales(product(half(108), scale(2 * g)), product(half(108), scale(2 * g + 1)));
      break;
    }
    case StoredDType::kQ4_K: {  // d, dmin, 12 bytes of scales and minima, 128 of nibbles
      int scale, minimum;
      SixBits(from + 4, g, &scale, &minimum);
      UnpackHalfOfBytes(from + 16 + g / 2 * 32, g % 2 == 1, group.q);
      group.SetScales(product(half(0), scale), product(half(0), scale));
      group.SetOffsets(-product(half(2), minimum), -product(half(2), minimum));
      break;
    }
    case StoredDType::kQ5_K: {  // d, dmin, scales and minima, 32 bytes of fifth bits, nibbles
      int scale, minimum;
      SixBits(from + 4, g, &scale, &minimum);
      UnpackHalfOfBytes(from + 48 + g / 2 * 32, g % 2 == 1, group.q);
      for (size_t i = 0; i < 32; ++i) {
        group.q[i] = static_cast<int8_t>(group.q[i] | (Byte(from + 16, i) >> g & 1) << 4);
      }
      group.SetScales(product(half(0), scale), product(half(0), scale));
      group.SetOffsets(-product(half(2), minimum), -product(half(2), minimum));
      break;
    }
    case StoredDType::kQ6_K: {  // 128 bytes of nibbles, 64 of upper pairs, 16 signed scales, d
      const std::byte* low = from + g / 4 * 64 + g % 2 * 32;
      const std::byte* high = from + 128 + g / 4 * 32;
      UnpackHalfOfBytes(low, g % 4 >= 2, group.q);
      for (size_t i = 0; i < 32; ++i) {
        const int upper = Byte(high, i) >> 2 * (g % 4) & 3;
        group.q[i] = static_cast<int8_t>((group.q[i] | upper << 4) - 32);
      }
      const auto scale = [from](size_t s) {
        return static_cast<int>(static_cast<int8_t>(Byte(from + 192, s)));
      };
      group.SetScales(product(half(208), scale(2 * g)), product(half(208), scale(2 * g + 1)));
      break;
    }
    case StoredDType::kIQ4NL:  // d, nibbles
      UnpackNibbles(from + 2, group.q);
      ToNonLinear(group.q);
      group.SetScales(half(0), half(0));
      break;
    default: {  // kIQ4XS: d, 16 upper pairs and 8 nibbles of scale, 128 bytes of nibbles
      const int low = Byte(from + 4, g / 2) >> (g % 2 == 0 ? 0 : 4) & 15;
      const int high = HalfBits(from + 2) >> 2 * g & 3;
      UnpackNibbles(from + 8 + 16 * g, group.q);
      ToNonLinear(group.q);
      const float scale = product(half(0), (low | high << 4) - 32);
      group.SetScales(scale, scale);
      break;
    }
  }
  return group;
}

/// Value `i` of a group.
template <typename Halves>
LATENTD_INLINE float GroupValue(const BlockGroup& group, bool rounds, size_t i) {
  const float product = group.scale[i / 16] * static_cast<float>(group.q[i]);
  if (!rounds) return product + group.offset[i / 16];
  return Halves::Round(Halves::Round(product) + group.offset[i / 16]);
}

}  // namespace latentd
