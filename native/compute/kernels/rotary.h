// Rotary position embedding.
#pragma once

#include "compute/kernels/finish.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline void Rotary(const Context& context, const RotaryArguments& a) {
  const size_t row = a.batch * a.tokens;
  context.parallel.For(a.heads * a.pairs, [&](size_t task) {
    const size_t pair = task % a.pairs;
    const size_t head = task / a.pairs * 2 * a.pairs;
    const size_t first = (a.halves ? head + pair : head + 2 * pair) * row;
    const size_t second = first + (a.halves ? a.pairs : 1) * row;
    for (size_t image = 0; image < a.batch; ++image) {
      const size_t table = (pair * a.table_batch + image % a.table_batch) * a.tokens;
      const float* cosines = a.cosines + table;
      const float* sines = a.sines + table;
      const size_t at = image * a.tokens;
      for (size_t i = 0; i < a.tokens; ++i) {
        const float x = a.x[first + at + i];
        const float y = a.x[second + at + i];
        a.out[first + at + i] = x * cosines[i] - y * sines[i];
        a.out[second + at + i] = x * sines[i] + y * cosines[i];
      }
    }
  });
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
