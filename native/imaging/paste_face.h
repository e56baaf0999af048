// Puts a restored face back into its picture behind a soft mask (facerestore_cf
// facelib/utils/face_restoration_helper.py, paste_faces_to_input_image).
#pragma once

#include "imaging/opencv_warp.h"

namespace latentd::opencv {

/// `picture` is H×W×3, changed in place. `face` is size×size×3 of whole numbers 0 to 255. `parsed`,
/// size×size, is 255 where a parsing network sees the face and else 0. `matrix` leads from the face to the
/// picture.
void PasteFace(double* picture, Extents extents, const float* face, const double* parsed, size_t size,
               const Affine& matrix);

}  // namespace latentd::opencv
