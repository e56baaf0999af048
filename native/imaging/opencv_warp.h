// cv::warpAffine with INTER_LINEAR and BORDER_CONSTANT, as OpenCV 4 does it: places are rounded to 1/32 of a
// pixel.
#pragma once

#include <array>
#include <cstdint>

#include "imaging/opencv_picture.h"

namespace latentd::opencv {

/// Two rows of three: (x, y) ↦ (m0·x + m1·y + m2, m3·x + m4·y + m5).
using Affine = std::array<double, 6>;

Affine Inverted(const Affine& matrix);

/// A part of a picture.
struct Region {
  size_t top;
  size_t left;
  size_t height;
  size_t width;
};

/// The places in the source of a row of the result, in 1/32 of a pixel.
class WarpRow {
 public:
  /// `inverse` leads from the result to the source.
  WarpRow(const Affine& inverse, size_t y);

  struct Place {
    int64_t y, x;
    int fraction_y, fraction_x;
  };
  Place At(size_t x) const;

 private:
  double step_x_, step_y_;
  int64_t start_x_, start_y_;
};

/// Writes the `region` of the warped picture: region.height × region.width × channels values. `matrix` leads
/// from the source to the result; what has no source takes `border`, one value a channel.
void WarpAffine(Depth depth, const float* in, float* out, size_t channels, Extents from, Region region,
                const Affine& matrix, const float* border);

/// The same for one channel of doubles, with a border of 0.
void WarpAffine(const double* in, double* out, Extents from, Region region, const Affine& matrix);

}  // namespace latentd::opencv
