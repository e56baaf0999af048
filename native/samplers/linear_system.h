// Small dense linear systems.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace latentd {

/// Solves a · x = b in float32 by elimination with partial pivoting, as LAPACK's sgesv does; `a` is row-major
/// and square. Products are fused into sums and pivots inverted, as MKL does: the systems of multistep
/// samplers are ill-conditioned enough for that to show in the fourth digit.
inline std::vector<float> SolveLinearSystem(std::vector<float> a, std::vector<float> b) {
  const size_t n = b.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    for (size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    std::swap(b[k], b[pivot]);
    const float inverse = 1 / a[k * n + k];
    for (size_t i = k + 1; i < n; ++i) {
      const float factor = a[i * n + k] * inverse;
      for (size_t j = k + 1; j < n; ++j) {
        a[i * n + j] = std::fma(-factor, a[k * n + j], a[i * n + j]);
      }
      b[i] = std::fma(-factor, b[k], b[i]);
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = n; j-- > k + 1;) b[k] = std::fma(-a[k * n + j], b[j], b[k]);
    b[k] *= 1 / a[k * n + k];
  }
  return b;
}

}  // namespace latentd
