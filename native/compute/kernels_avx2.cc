// Compiled with AVX2 and FMA (see CMakeLists.txt); run only where AvailableKernels found it.
#if defined(__x86_64__)
#define LATENTD_KERNELS_NAMESPACE avx2
#define LATENTD_KERNELS_NAME "avx2"
#include "compute/kernels/table.h"

namespace latentd::compute {
const Kernels& KernelsAvx2();
const Kernels& KernelsAvx2() { return avx2::kTable<avx2::Singles>; }
}  // namespace latentd::compute
#endif
