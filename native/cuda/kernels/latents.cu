// A sampler's arithmetic on latents: float32, rounded where the host's is (native/samplers/latent.h).
#include "cuda/kernels/kernels.h"
#include "cuda/launch.h"
#include "cuda/primitives.h"

namespace latentd::cuda {
namespace {

constexpr int kThreads = 256;

// Each sum is whole before it is stored, so that results may overwrite any operand.
__global__ void __launch_bounds__(kThreads) CombineKernel(const CombineParameters p) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= p.count) return;
  if (p.fused) {
    float sum = 0;
    for (int k = 0; k < p.terms; ++k) sum = FusedSum(p.factors[k], p.values[k][i], sum);
    p.into[i] = sum;
    return;
  }
  float sum = p.terms == 0 ? 0.0f : RoundedProduct(p.factors[0], p.values[0][i]);
  for (int k = 1; k < p.terms; ++k) sum = RoundedSum(sum, RoundedProduct(p.factors[k], p.values[k][i]));
  p.into[i] = sum;
}

__global__ void __launch_bounds__(kThreads) QuotientKernel(const QuotientParameters p) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= p.count) return;
  const float dividend = p.b == nullptr ? p.a[i] : RoundedSum(p.a[i], -p.b[i]);
  p.into[i] = RoundedQuotient(dividend, p.divisor);
}

dim3 GridOf(int64_t count) { return dim3(static_cast<unsigned>((count + kThreads - 1) / kThreads)); }

}  // namespace

void LaunchCombine(const CombineParameters& p, cudaStream_t stream) {
  Launch<CombineParameters>(CombineKernel, GridOf(p.count), dim3(kThreads), 0, stream, p);
}

void LaunchQuotient(const QuotientParameters& p, cudaStream_t stream) {
  Launch<QuotientParameters>(QuotientKernel, GridOf(p.count), dim3(kThreads), 0, stream, p);
}

}  // namespace latentd::cuda
