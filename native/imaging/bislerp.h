// ComfyUI's own way to enlarge latents: spherical interpolation between neighbouring pixels' channel vectors.
#pragma once

#include <cstddef>

#include "imaging/resize.h"

namespace latentd {

/// Resizes batch × channels × height × width (ComfyUI comfy/utils.py, bislerp). Every extent is at least 1.
void Bislerp(const float* in, float* out, size_t batch, size_t channels, Size from, Size to);

}  // namespace latentd
