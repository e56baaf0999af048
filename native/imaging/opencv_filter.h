// cv::GaussianBlur and cv::erode of one-channel pictures.
#pragma once

#include "imaging/opencv_picture.h"

namespace latentd::opencv {

/// A kernel of `taps` × `taps`, an odd number; a `sigma` of 0 is made from it. Beyond the border lies the
/// picture's mirror image without the border itself (BORDER_REFLECT_101).
template <typename Value>
void GaussianBlur(Value* picture, Extents extents, size_t taps, double sigma);

/// The least value of each `side` × `side` square, its centre at `side` / 2; none lies beyond the border. A
/// side of 0 is cv::erode's own, 3.
void Erode(float* picture, Extents extents, size_t side);

}  // namespace latentd::opencv
