// Resampling as torch.nn.functional.interpolate does it on the CPU, without align_corners or antialiasing.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace latentd {

enum class ResizeMode { kNearestExact, kBilinear, kBicubic, kArea };

/// torch's names: nearest-exact, bilinear, bicubic, area.
std::optional<ResizeMode> ParseResizeMode(std::string_view name);

/// Rows and columns of a picture.
struct Size {
  size_t height;
  size_t width;
};

/// Resizes `planes` pictures of from.height × from.width pixels with `channels` interleaved values each:
/// N×C×H×W is N·C planes of one channel, N×H×W×C is N planes of C. Every extent is at least 1.
void Resize(ResizeMode mode, const float* in, float* out, size_t planes, size_t channels, Size from, Size to);

}  // namespace latentd
