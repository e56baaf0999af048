// Number types that files hold, one row each. src/native/dtypes.ts has the same rows in the same order, which
// a test compares: a type goes from TypeScript to C++ and to the card by its place here. A type whose values
// share a scale is a row with a block of more than one value.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace latentd {

/// As safetensors names them, but for what no program here computes with.
enum class StoredDType : int {
  kF64,
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kF8E5M2,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kF8E8M0,
  kI64,
  kU64,
  kI32,
  kU32,
  kI16,
  kU16,
  kI8,
  kU8,
  kBool,
  kC64,
  kF6E2M3,
  kF6E3M2,
  kF4,
  // GGUF's blocks (block_types.h): with products rounded to float16, and in float32.
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4NL,
  kIQ4XS,
  kQ4_0F32,
  kQ4_1F32,
  kQ5_0F32,
  kQ5_1F32,
  kQ8_0F32,
  kQ2_KF32,
  kQ3_KF32,
  kQ4_KF32,
  kQ5_KF32,
  kQ6_KF32,
  kIQ4NLF32,
  kIQ4XSF32,
};

/// What can be done with a type: nothing but telling how much room it takes; widening it to float32; or that
/// and using it where it lies, which every kernel for weights then must know (compute/kernels/widen_rows.h,
/// cuda/kernels/stored.h).
enum class DTypeUse : int { kSizeOnly, kWidened, kInPlace };

struct DTypeRow {
  const char* name;
  /// A power of two.
  size_t block_values;
  size_t block_bytes;
  DTypeUse use;
};

inline constexpr DTypeRow kDTypes[] = {
    {"F64", 1, 8, DTypeUse::kWidened},          {"F32", 1, 4, DTypeUse::kInPlace},
    {"F16", 1, 2, DTypeUse::kInPlace},          {"BF16", 1, 2, DTypeUse::kInPlace},
    {"F8_E4M3", 1, 1, DTypeUse::kInPlace},      {"F8_E5M2", 1, 1, DTypeUse::kInPlace},
    {"F8_E4M3FNUZ", 1, 1, DTypeUse::kWidened},  {"F8_E5M2FNUZ", 1, 1, DTypeUse::kWidened},
    {"F8_E8M0", 1, 1, DTypeUse::kWidened},      {"I64", 1, 8, DTypeUse::kWidened},
    {"U64", 1, 8, DTypeUse::kWidened},          {"I32", 1, 4, DTypeUse::kWidened},
    {"U32", 1, 4, DTypeUse::kWidened},          {"I16", 1, 2, DTypeUse::kWidened},
    {"U16", 1, 2, DTypeUse::kWidened},          {"I8", 1, 1, DTypeUse::kWidened},
    {"U8", 1, 1, DTypeUse::kWidened},           {"BOOL", 1, 1, DTypeUse::kWidened},
    {"C64", 1, 8, DTypeUse::kSizeOnly},         {"F6_E2M3", 4, 3, DTypeUse::kSizeOnly},
    {"F6_E3M2", 4, 3, DTypeUse::kSizeOnly},     {"F4", 2, 1, DTypeUse::kSizeOnly},
    {"Q4_0", 32, 18, DTypeUse::kInPlace},       {"Q4_1", 32, 20, DTypeUse::kInPlace},
    {"Q5_0", 32, 22, DTypeUse::kInPlace},       {"Q5_1", 32, 24, DTypeUse::kInPlace},
    {"Q8_0", 32, 34, DTypeUse::kInPlace},       {"Q2_K", 256, 84, DTypeUse::kInPlace},
    {"Q3_K", 256, 110, DTypeUse::kInPlace},     {"Q4_K", 256, 144, DTypeUse::kInPlace},
    {"Q5_K", 256, 176, DTypeUse::kInPlace},     {"Q6_K", 256, 210, DTypeUse::kInPlace},
    {"IQ4_NL", 32, 18, DTypeUse::kInPlace},     {"IQ4_XS", 256, 136, DTypeUse::kInPlace},
    {"Q4_0_F32", 32, 18, DTypeUse::kInPlace},   {"Q4_1_F32", 32, 20, DTypeUse::kInPlace},
    {"Q5_0_F32", 32, 22, DTypeUse::kInPlace},   {"Q5_1_F32", 32, 24, DTypeUse::kInPlace},
    {"Q8_0_F32", 32, 34, DTypeUse::kInPlace},   {"Q2_K_F32", 256, 84, DTypeUse::kInPlace},
    {"Q3_K_F32", 256, 110, DTypeUse::kInPlace}, {"Q4_K_F32", 256, 144, DTypeUse::kInPlace},
    {"Q5_K_F32", 256, 176, DTypeUse::kInPlace}, {"Q6_K_F32", 256, 210, DTypeUse::kInPlace},
    {"IQ4_NL_F32", 32, 18, DTypeUse::kInPlace}, {"IQ4_XS_F32", 256, 136, DTypeUse::kInPlace},
};
inline constexpr size_t kDTypeCount = sizeof(kDTypes) / sizeof(kDTypes[0]);

constexpr const DTypeRow& RowOf(StoredDType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

/// Bytes of `values` values, whole blocks.
constexpr size_t BytesOf(StoredDType dtype, size_t values) {
  const DTypeRow& row = RowOf(dtype);
  return (values >> __builtin_ctzll(row.block_values)) * row.block_bytes;
}

constexpr std::optional<StoredDType> ParseStoredDType(std::string_view name) {
  for (size_t index = 0; index < kDTypeCount; ++index) {
    if (name == kDTypes[index].name) return static_cast<StoredDType>(index);
  }
  return std::nullopt;
}

}  // namespace latentd
