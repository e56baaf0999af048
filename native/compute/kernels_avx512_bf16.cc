// Compiled with AVX-512 and its products of bfloat16 (see CMakeLists.txt); run only where AvailableKernels
// found them.
#if defined(__x86_64__)
#define LATENTD_KERNELS_NAMESPACE avx512_bf16
#define LATENTD_KERNELS_NAME "avx512"
#include "compute/kernels/table.h"

namespace latentd::compute {
const Kernels& KernelsAvx512Bf16();
const Kernels& KernelsAvx512Bf16() { return avx512_bf16::kTable<avx512_bf16::Pairs>; }
}  // namespace latentd::compute
#endif
