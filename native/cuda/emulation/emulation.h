// A graphics card on the processor: threads of a block are fibers, warps meet where the hardware has them
// meet. It runs the kernels as they are written, slowly, so that indexing, fragments, barriers and the engine
// around them are tested without a card. Blocks run their threads forwards and backwards by turns, so that a
// missing barrier has a chance to show. What it can't show: all other races, and speed.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

struct uint4 {
  uint32_t x, y, z, w;
};
struct float2 {
  float x, y;
};

namespace latentd::cuda::emulation {

struct Place {
  dim3 thread, block, block_size, grid;
};

/// Of the fiber that runs.
const Place& Here();

/// Runs `body` for every thread of every block; throws `std::logic_error` when threads wait for each other in
/// vain.
void Run(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()>& body);

void WaitForBlock();

/// All 32 lanes call it with the same function, which is then called once with what each lane gave.
void MeetWarp(void (*function)(void* const* lanes), void* argument);

/// Memory of the block, 16-byte aligned, filled with NaN before each block.
void* SharedMemory();

/// Throws `std::logic_error` where the hardware would refuse an address.
void RequireAligned(const void* address, size_t bytes);

/// Copies wait for their group to be waited for, as the hardware's may.
void CopyLater(void* to, const void* from, int bytes, int zeros);
void CommitCopies();
void AwaitCopies(int groups_left);

}  // namespace latentd::cuda::emulation

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define threadIdx (latentd::cuda::emulation::Here().thread)
#define blockIdx (latentd::cuda::emulation::Here().block)
#define blockDim (latentd::cuda::emulation::Here().block_size)
#define gridDim (latentd::cuda::emulation::Here().grid)

inline void __syncthreads() { latentd::cuda::emulation::WaitForBlock(); }

#include "cuda/emulation/runtime.h"
