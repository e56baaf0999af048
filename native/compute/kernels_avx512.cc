// Compiled with AVX-512 (see CMakeLists.txt); run only where AvailableKernels found it.
#if defined(__x86_64__)
#define LATENTD_KERNELS_NAMESPACE avx512
#define LATENTD_KERNELS_NAME "avx512"
#include "compute/kernels/table.h"

namespace latentd::compute {
const Kernels& KernelsAvx512();
const Kernels& KernelsAvx512() { return avx512::kTable<avx512::Singles>; }
}  // namespace latentd::compute
#endif
