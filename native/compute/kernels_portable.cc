// Whatever the compiler makes of four-lane vectors: NEON on arm64, SSE2 on an old x86.
#define LATENTD_KERNELS_NAMESPACE portable
#define LATENTD_KERNELS_NAME "portable"
#include "compute/kernels/table.h"

namespace latentd::compute {
const Kernels& KernelsPortable();
const Kernels& KernelsPortableBf16();
const Kernels& KernelsPortable() { return portable::kTable<portable::Singles>; }
const Kernels& KernelsPortableBf16() { return portable::kTable<portable::Pairs>; }
}  // namespace latentd::compute
