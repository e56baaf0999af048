// Pillow's Lanczos resampling of 8-bit pictures, which is what ComfyUI's `lanczos` means.
#pragma once

#include <cstddef>

#include "imaging/resize.h"

namespace latentd {

/// Resizes batch × height × width × channels in [0, 1] (3 channels RGB, 4 with alpha) through 8-bit values,
/// as ComfyUI comfy/utils.py's lanczos. Every extent is at least 1.
void Lanczos(const float* in, float* out, size_t batch, size_t channels, Size from, Size to);

}  // namespace latentd
