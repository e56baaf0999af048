// Pixels of 8 or 16 bits a channel from and to floats in [0, 1].
#pragma once

#include <cstddef>
#include <cstdint>

namespace latentd {

/// Each value over 255.
void FloatsOfPixels(const uint8_t* from, float* into, size_t count);

/// Each value over 65535.
void FloatsOfPixels(const uint16_t* from, float* into, size_t count);

/// Times 255, rounded half up in float32, cut to [0, 255]; NaN becomes 0.
void PixelsOfFloats(const float* from, uint8_t* into, size_t count);

/// The same of 65535.
void PixelsOfFloats(const float* from, uint16_t* into, size_t count);

}  // namespace latentd
