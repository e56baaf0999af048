// Conversions between the float formats of checkpoints and float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace latentd {

/// A float format as safetensors names it.
enum class StoredDType { kF64, kF32, kF16, kBF16 };

std::optional<StoredDType> ParseStoredDType(std::string_view name);

/// Bytes of one value.
size_t StoredSize(StoredDType dtype);

/// Converts `count` values at `from`, which need not be aligned, to float32. Large runs use several threads.
void Widen(StoredDType dtype, const std::byte* from, float* into, size_t count);

/// Rounds float32 to IEEE half precision, to nearest even, as torch does.
void NarrowToF16(const float* from, uint16_t* into, size_t count);

/// The float32 value nearest to `value` (ties to even) that `dtype` can hold; float64 and float32 hold it as
/// it is.
float RoundTo(StoredDType dtype, float value);

}  // namespace latentd
