// Gathers one instruction set's kernels into a table.
#pragma once

#include "compute/kernels/attention.h"
#include "compute/kernels/convolution.h"
#include "compute/kernels/normalize.h"
#include "compute/kernels/rotary.h"
#include "compute/kernels/winograd.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

template <typename Steps>
inline void Convolution(const Context& context, const ConvolutionArguments& a) {
  // Rounded operands would cost Winograd's transforms more digits than a direct sum: what is left of its
  // products in tiles of 4×4 is as fast in float32.
  if (WinogradApplies(a) && LargeTilesApply(a)) {
    WinogradConvolution<LargeTiles>(context, a);
  } else if (WinogradApplies(a) && Steps::kValues == 1) {
    WinogradConvolution<SmallTiles>(context, a);
  } else {
    DenseConvolution<Steps>(context, a);
  }
}

inline void ActivateAll(const Context& context, Activation activation, const float* x, float* out,
                        size_t count) {
  const size_t tasks = count < 4096 ? 1 : context.parallel.threads;
  const size_t share = (count / tasks / kLanes + 1) * kLanes;
  context.parallel.For(tasks, [&](size_t task) {
    const size_t begin = task * share;
    if (begin >= count) return;
    const size_t mine = count - begin < share ? count - begin : share;
    ForVectors(mine, x + begin, out + begin,
               [&](size_t, Vector v, size_t) { return Activate(activation, v); });
  });
}

template <typename Steps>
inline constexpr Kernels kTable{
    LATENTD_KERNELS_NAME, Convolution<Steps>, GroupNorm, LayerNorm, RmsNorm, Rotary,
    Attention<Steps>,     ActivateAll};

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
