// Conversions between the number types of checkpoints and float32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "files/dtypes.h"

namespace latentd {

/// Converts `count` values at `from`, whole blocks that need not be aligned, to float32, as torch does.
/// `dtype` must be one whose row says that it can be widened. Large runs use several threads.
void Widen(StoredDType dtype, const std::byte* from, float* into, size_t count);

/// Rounds float32 to IEEE half precision, to nearest even, as torch does.
void NarrowToF16(const float* from, uint16_t* into, size_t count);

/// The float32 value nearest to `value` (ties to even) that `dtype`, one of F16 and BF16, can hold; all
/// others hold it as it is.
float RoundTo(StoredDType dtype, float value);

}  // namespace latentd
