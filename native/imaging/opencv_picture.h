// Pictures as OpenCV 4 works on them: rows of interleaved channels, values 0 to 255. `Bytes` pictures hold
// whole numbers and are computed in fixed point as OpenCV computes 8-bit ones; others as it computes 32-bit
// floats.
#pragma once

#include <cstddef>

namespace latentd::opencv {

/// Rows that are worth a thread.
inline constexpr size_t kRowGrain = 16;

struct Extents {
  size_t height;
  size_t width;

  size_t Pixels() const { return height * width; }
};

enum class Depth { kBytes, kFloat };

}  // namespace latentd::opencv
