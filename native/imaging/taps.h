// Which source pixels an output pixel is made of along one axis, with torch's float32 arithmetic.
#pragma once

#include <cstddef>
#include <vector>

namespace latentd {

/// `count` source positions and weights for each output position, one after another.
struct Taps {
  size_t count;
  std::vector<size_t> index;
  std::vector<float> weight;
};

/// The nearest source position of each output position, as `nearest-exact`. `fused` rounds once in
/// scale·(i+0.5)−0.5, as the kernels compiled with FMA do; it decides where that lies on a boundary.
std::vector<size_t> NearestExactIndex(size_t from, size_t to, bool fused);

/// Two taps, edges repeated.
Taps LinearTaps(size_t from, size_t to);

/// Four taps of Keys' kernel with a = −0.75, edges repeated.
Taps CubicTaps(size_t from, size_t to);

}  // namespace latentd
