// torch.linspace in float32 and float64.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace latentd {

/// `count` evenly spaced values, counted from the nearer end as torch does (RangeFactoriesKernel.cpp, fused
/// there too).
template <typename T>
std::vector<T> Linspace(T start, T end, size_t count) {
  std::vector<T> values(count);
  if (count == 1) values[0] = start;
  if (count < 2) return values;
  const T step = (end - start) / static_cast<T>(count - 1);
  for (size_t i = 0; i < count; ++i) {
    values[i] = i < count / 2 ? std::fma(step, static_cast<T>(i), start)
                              : std::fma(-step, static_cast<T>(count - i - 1), end);
  }
  return values;
}

}  // namespace latentd
