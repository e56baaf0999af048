// cv::resize with INTER_LINEAR.
#pragma once

#include "imaging/opencv_picture.h"

namespace latentd::opencv {

/// Pixels of `from` for one of the result, along each axis.
struct Scale {
  double y;
  double x;
};

/// Both extents are at least 1. A byte picture halved exactly is averaged, as cv::resize does (INTER_AREA).
void ResizeLinear(Depth depth, const float* in, float* out, size_t channels, Extents from, Extents to,
                  Scale scale);

}  // namespace latentd::opencv
