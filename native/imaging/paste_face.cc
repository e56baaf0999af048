#include "imaging/paste_face.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "imaging/opencv_filter.h"
#include "parallel.h"

namespace latentd::opencv {
namespace {

constexpr size_t kChannels = 3;
constexpr size_t kParseTaps = 101;
constexpr double kParseSigma = 11;
constexpr size_t kParseBorder = 10;

/// The edge over which a face is blended, a twentieth of its side.
size_t BlendEdge(double area) { return static_cast<size_t>(std::sqrt(area)) / 20; }

/// The part of the picture that the warped square lies in, and around it what erosion and blur look at;
/// beyond that all masks are 0, so that nothing else of the picture need be touched.
Region Touched(const Affine& m, size_t size, Extents extents) {
  const auto side = static_cast<double>(size);
  const double xs[] = {m[2], m[0] * side + m[2], m[1] * side + m[2], (m[0] + m[1]) * side + m[2]};
  const double ys[] = {m[5], m[3] * side + m[5], m[4] * side + m[5], (m[3] + m[4]) * side + m[5]};
  const auto [left, right] = std::minmax_element(std::begin(xs), std::end(xs));
  const auto [top, bottom] = std::minmax_element(std::begin(ys), std::end(ys));
  const double area = std::abs(m[0] * m[4] - m[1] * m[3]) * side * side;
  const double margin = 2.0 * static_cast<double>(BlendEdge(area)) + 8;
  const auto clipped = [](double place, size_t extent) {
    return static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(extent)));
  };
  const size_t from_y = clipped(std::floor(*top - margin), extents.height);
  const size_t from_x = clipped(std::floor(*left - margin), extents.width);
  return {from_y, from_x, clipped(std::ceil(*bottom + margin), extents.height) - from_y,
          clipped(std::ceil(*right + margin), extents.width) - from_x};
}

std::vector<float> Warped(const std::vector<float>& square, size_t size, Region region,
                          const Affine& matrix) {
  std::vector<float> warped(region.height * region.width);
  const float outside = 0;
  WarpAffine(Depth::kFloat, square.data(), warped.data(), 1, {size, size}, region, matrix, &outside);
  return warped;
}

/// The parsed face, blurred and without its border, where it comes to lie in the picture; from 0 to 1.
std::vector<double> WarpedParsing(const double* parsed, size_t size, Region region, const Affine& matrix) {
  std::vector<double> mask(parsed, parsed + size * size);
  GaussianBlur(mask.data(), {size, size}, kParseTaps, kParseSigma);
  GaussianBlur(mask.data(), {size, size}, kParseTaps, kParseSigma);
  // All white must stay exactly that, as it does with OpenCV's kernel; ours may miss it by the last bit.
  constexpr double kSteps = 1LL << 32;
  for (double& value : mask) value = std::nearbyint(value * kSteps) / kSteps;
  for (size_t y = 0; y < size; y++) {
    for (size_t x = 0; x < size; x++) {
      const size_t nearest = std::min({y, x, size - 1 - y, size - 1 - x});
      mask[y * size + x] = nearest < kParseBorder ? 0 : mask[y * size + x] / 255;
    }
  }
  std::vector<double> warped(region.height * region.width);
  WarpAffine(mask.data(), warped.data(), {size, size}, region, matrix);
  return warped;
}

}  // namespace

void PasteFace(double* picture, Extents extents, const float* face, const double* parsed, size_t size,
               const Affine& matrix) {
  const Region region = Touched(matrix, size, extents);
  if (region.height == 0 || region.width == 0) return;
  const Extents part{region.height, region.width};
  const float black[kChannels] = {};
  std::vector<float> pasted(part.Pixels() * kChannels);
  WarpAffine(Depth::kBytes, face, pasted.data(), kChannels, {size, size}, region, matrix, black);

  // Without the dark line that interpolation with the border leaves.
  std::vector<float> inner = Warped(std::vector<float>(size * size, 1.0F), size, region, matrix);
  Erode(inner.data(), part, 2);
  const size_t edge = BlendEdge(std::accumulate(inner.begin(), inner.end(), 0.0));
  std::vector<float> soft = inner;
  Erode(soft.data(), part, 2 * edge);
  GaussianBlur(soft.data(), part, 2 * edge + 1, 0);

  const std::vector<double> parsing = WarpedParsing(parsed, size, region, matrix);
  ParallelFor(region.height, kRowGrain, [&](size_t begin, size_t end) {
    for (size_t y = begin; y < end; y++) {
      double* row = picture + ((region.top + y) * extents.width + region.left) * kChannels;
      for (size_t x = 0; x < region.width; x++) {
        const size_t at = y * region.width + x;
        const double mask = std::min(parsing[at], static_cast<double>(soft[at]));
        for (size_t c = 0; c < kChannels; c++) {
          double& value = row[x * kChannels + c];
          const float over = inner[at] * pasted[at * kChannels + c];
          value = mask * static_cast<double>(over) + (1 - mask) * value;
        }
      }
    }
  });
}

}  // namespace latentd::opencv
