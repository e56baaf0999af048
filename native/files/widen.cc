#include "files/widen.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "files/block_types.h"
#include "files/small_floats.h"
#include "parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace latentd {
namespace {

// Below this many values a second thread costs more than it saves.
constexpr size_t kGrain = size_t{1} << 18;

template <typename T>
T Load(const std::byte* from, size_t index) {
  T value;
  std::memcpy(&value, from + index * sizeof(T), sizeof(T));
  return value;
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  // Normal numbers: rebias the exponent from 15 to 127; infinities and NaNs: from 31 to 255.
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  if (magnitude >= 0x400u) return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  // Subnormals are multiples of 2^-24, exact in float32.
  return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f) | sign);
}

template <typename T>
void WidenNumbers(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = static_cast<float>(Load<T>(from, i));
}

template <const std::array<float, 256>& kValues>
void WidenCodes(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = kValues[static_cast<uint8_t>(from[i])];
}

void WidenBool(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = from[i] == std::byte{0} ? 0.0f : 1.0f;
}

void WidenF32(const std::byte* from, float* into, size_t count) {
  std::memcpy(into, from, count * sizeof(float));
}

void WidenBF16(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    into[i] = std::bit_cast<float>(static_cast<uint32_t>(Load<uint16_t>(from, i)) << 16);
  }
}

using WidenKernel = void (*)(const std::byte*, float*, size_t);

/// By place in kDTypes; null where a type's values aren't read.
using WidenTable = std::array<WidenKernel, kDTypeCount>;

struct SoftHalves {
  static float Widen(uint16_t bits) { return HalfToFloat(bits); }
  static float Round(float value) { return HalfToFloat(FloatToHalf(value)); }
};

/// Whole blocks.
template <StoredDType kDType>
void WidenBlocks(const std::byte* from, float* into, size_t count) {
  constexpr const DTypeRow& kRow = RowOf(kDType);
  for (size_t i = 0; i < count; i += kGroupValues) {
    const std::byte* block = from + i / kRow.block_values * kRow.block_bytes;
    const BlockGroup group = UnpackGroup<SoftHalves>(block, kDType, i % kRow.block_values / kGroupValues);
    for (size_t v = 0; v < kGroupValues; ++v) {
      into[i + v] = GroupValue<SoftHalves>(group, RoundsToHalf(kDType), v);
    }
  }
}

template <size_t... kPlaces>
void SetBlocks(WidenTable& table, std::index_sequence<kPlaces...>) {
  constexpr size_t kFirst = static_cast<size_t>(StoredDType::kQ4_0);
  ((table[kFirst + kPlaces] = WidenBlocks<static_cast<StoredDType>(kFirst + kPlaces)>), ...);
}

void WidenF16(const std::byte* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = HalfToFloat(Load<uint16_t>(from, i));
}

void NarrowPlain(const float* from, uint16_t* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = FloatToHalf(from[i]);
}

#if defined(__x86_64__)

__attribute__((target("avx,f16c"))) void WidenF16WithF16C(const std::byte* from, float* into, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * 2));
    _mm256_storeu_ps(into + i, _mm256_cvtph_ps(halves));
  }
  WidenF16(from + i * 2, into + i, count - i);
}

__attribute__((target("avx2"))) void WidenBF16WithAvx2(const std::byte* from, float* into, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * 2));
    const __m256i words = _mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(into + i), words);
  }
  WidenBF16(from + i * 2, into + i, count - i);
}

__attribute__((target("avx,f16c"))) void NarrowWithF16C(const float* from, uint16_t* into, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(into + i), halves);
  }
  NarrowPlain(from + i, into + i, count - i);
}

#endif

WidenKernel ChooseF16() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c")) return WidenF16WithF16C;
#endif
  return WidenF16;
}

WidenKernel ChooseBF16() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return WidenBF16WithAvx2;
#endif
  return WidenBF16;
}

WidenTable MakeTable() {
  WidenTable table{};
  const auto set = [&table](StoredDType dtype, WidenKernel kernel) {
    table[static_cast<size_t>(dtype)] = kernel;
  };
  set(StoredDType::kF64, WidenNumbers<double>);
  set(StoredDType::kF32, WidenF32);
  set(StoredDType::kF16, ChooseF16());
  set(StoredDType::kBF16, ChooseBF16());
  set(StoredDType::kF8E4M3, WidenCodes<kF8E4M3Values>);
  set(StoredDType::kF8E5M2, WidenCodes<kF8E5M2Values>);
  set(StoredDType::kF8E4M3Fnuz, WidenCodes<kF8E4M3FnuzValues>);
  set(StoredDType::kF8E5M2Fnuz, WidenCodes<kF8E5M2FnuzValues>);
  set(StoredDType::kF8E8M0, WidenCodes<kF8E8M0Values>);
  set(StoredDType::kI64, WidenNumbers<int64_t>);
  set(StoredDType::kU64, WidenNumbers<uint64_t>);
  set(StoredDType::kI32, WidenNumbers<int32_t>);
  set(StoredDType::kU32, WidenNumbers<uint32_t>);
  set(StoredDType::kI16, WidenNumbers<int16_t>);
  set(StoredDType::kU16, WidenNumbers<uint16_t>);
  set(StoredDType::kI8, WidenNumbers<int8_t>);
  set(StoredDType::kU8, WidenNumbers<uint8_t>);
  set(StoredDType::kBool, WidenBool);
  constexpr size_t kBlockTypes = kDTypeCount - static_cast<size_t>(StoredDType::kQ4_0);
  SetBlocks(table, std::make_index_sequence<kBlockTypes>());
  return table;
}

using NarrowKernel = void (*)(const float*, uint16_t*, size_t);

NarrowKernel ChooseNarrow() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c")) return NarrowWithF16C;
#endif
  return NarrowPlain;
}

}  // namespace

void Widen(StoredDType dtype, const std::byte* from, float* into, size_t count) {
  static const WidenTable table = MakeTable();
  const WidenKernel kernel = table[static_cast<size_t>(dtype)];
  const size_t block = RowOf(dtype).block_values;
  ParallelFor(count / block, kGrain / block, [=](size_t begin, size_t end) {
    kernel(from + BytesOf(dtype, begin * block), into + begin * block, (end - begin) * block);
  });
}

void NarrowToF16(const float* from, uint16_t* into, size_t count) {
  static const NarrowKernel kernel = ChooseNarrow();
  ParallelFor(count, kGrain,
              [=](size_t begin, size_t end) { kernel(from + begin, into + begin, end - begin); });
}

float RoundTo(StoredDType dtype, float value) {
  if (dtype == StoredDType::kF16) return HalfToFloat(FloatToHalf(value));
  if (dtype == StoredDType::kBF16) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if (value != value) return value;
    return std::bit_cast<float>((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u);
  }
  return value;
}

}  // namespace latentd
