// Floats of eight bits: the value of each of the 256, in a table.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace latentd {

/// Which codes are no numbers: E5M2 has infinities and NaNs as IEEE's types do, E4M3 one NaN a sign, the FNUZ
/// forms only what would be −0.
enum class SmallSpecials { kIeee, kAllOnes, kNegativeZero };

/// The float32 of an eight-bit float with so many bits of mantissa (the OCP specification of 8-bit floating
/// point, 2023, and torch's float8 types).
constexpr float SmallFloatValue(uint32_t code, uint32_t mantissa_bits, int bias, SmallSpecials specials) {
  const uint32_t sign = (code & 0x80u) << 24;
  const uint32_t magnitude = code & 0x7fu;
  const uint32_t exponent = magnitude >> mantissa_bits;
  const uint32_t mantissa = magnitude & ((1u << mantissa_bits) - 1);
  const uint32_t top = 0x7fu >> mantissa_bits;
  if (specials == SmallSpecials::kIeee && exponent == top) {
    return std::bit_cast<float>(sign | 0x7f800000u | mantissa << (23 - mantissa_bits));
  }
  if ((specials == SmallSpecials::kAllOnes && magnitude == 0x7fu) ||
      (specials == SmallSpecials::kNegativeZero && code == 0x80u)) {
    return std::bit_cast<float>(sign | 0x7fc00000u);
  }
  // 2^(exponent − bias); subnormals have the exponent of the smallest normal numbers.
  const int power = static_cast<int>(exponent == 0 ? 1 : exponent) - bias;
  const float unit = std::bit_cast<float>(static_cast<uint32_t>(127 + power) << 23);
  const float fraction = static_cast<float>(mantissa) / static_cast<float>(1u << mantissa_bits);
  const float value = unit * ((exponent == 0 ? 0.0f : 1.0f) + fraction);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

constexpr std::array<float, 256> SmallFloatTable(uint32_t mantissa_bits, int bias, SmallSpecials specials) {
  std::array<float, 256> table{};
  for (uint32_t code = 0; code < 256; ++code) {
    table[code] = SmallFloatValue(code, mantissa_bits, bias, specials);
  }
  return table;
}

/// A power of two from 2^-127 on; the last is NaN.
constexpr std::array<float, 256> ScaleTable() {
  std::array<float, 256> table{};
  for (uint32_t code = 1; code < 255; ++code) table[code] = std::bit_cast<float>(code << 23);
  table[0] = std::bit_cast<float>(uint32_t{1} << 22);
  table[255] = std::bit_cast<float>(0x7fc00000u);
  return table;
}

inline constexpr std::array<float, 256> kF8E4M3Values = SmallFloatTable(3, 7, SmallSpecials::kAllOnes);
inline constexpr std::array<float, 256> kF8E5M2Values = SmallFloatTable(2, 15, SmallSpecials::kIeee);
inline constexpr std::array<float, 256> kF8E4M3FnuzValues =
    SmallFloatTable(3, 8, SmallSpecials::kNegativeZero);
inline constexpr std::array<float, 256> kF8E5M2FnuzValues =
    SmallFloatTable(2, 16, SmallSpecials::kNegativeZero);
inline constexpr std::array<float, 256> kF8E8M0Values = ScaleTable();

/// A float16's bits, rounded to nearest even. Inlined, since kernels are compiled for several instruction
/// sets.
__attribute__((always_inline)) inline uint16_t FloatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and above round to infinity
  if (magnitude >= 0x38800000u) {                       // 2^-14, the smallest normal half
    const uint32_t rounded = magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u);
    return static_cast<uint16_t>(sign | rounded >> 13);
  }
  // Adding 0.5 leaves multiples of 2^-24, the subnormal halves, in the low bits, rounded by the addition.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
}

}  // namespace latentd
