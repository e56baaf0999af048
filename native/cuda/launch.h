// Starts kernels: CUDA's way and the emulation's in one call.
#pragma once

#include "cuda/errors.h"

namespace latentd::cuda {

/// The most shared memory that a block may have before it must ask.
constexpr size_t kPlainSharedBytes = 48 << 10;

/// Passed by address to the driver, so parameters must be what the kernel declares; hence one type for both.
template <typename Parameters>
void Launch(void (*kernel)(Parameters), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
            Parameters parameters) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef LATENTD_CUDA_EMULATION
  emulation::Run(grid, block, shared_bytes, [&] { kernel(parameters); });
#else
  if (shared_bytes > kPlainSharedBytes) {
    Check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
          "reserving shared memory");
  }
  void* arguments[] = {&parameters};
  Check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared_bytes, stream),
        "launching a kernel");
#endif
}

}  // namespace latentd::cuda
