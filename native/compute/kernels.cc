#include "compute/kernels.h"

#include <sys/mman.h>

#include <new>
#include <vector>

namespace latentd::compute {

#if defined(__x86_64__)
const Kernels& KernelsAvx512();
const Kernels& KernelsAvx512Bf16();
const Kernels& KernelsAvx2();
#endif
const Kernels& KernelsPortable();
const Kernels& KernelsPortableBf16();

Scratch::~Scratch() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

float* Scratch::Get(size_t floats) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t wanted = (floats * sizeof(float) + kHugePage - 1) / kHugePage * kHugePage;
  if (wanted > bytes_) {
    if (memory_ != nullptr) munmap(memory_, bytes_);
    memory_ = nullptr;
    bytes_ = 0;
    void* memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    // Fewer faults and fewer misses in the address cache; only advice, so a refusal changes nothing else.
    madvise(memory, wanted, MADV_HUGEPAGE);
    memory_ = memory;
    bytes_ = wanted;
  }
  return static_cast<float*>(memory_);
}

namespace {

std::vector<const Kernels*> FindFp32() {
  std::vector<const Kernels*> tables;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    tables.push_back(&KernelsAvx512());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    tables.push_back(&KernelsAvx2());
  }
#endif
  tables.push_back(&KernelsPortable());
  return tables;
}

std::vector<const Kernels*> FindBf16() {
  std::vector<const Kernels*> tables;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    tables.push_back(&KernelsAvx512Bf16());
  }
#endif
  tables.push_back(&KernelsPortableBf16());
  return tables;
}

}  // namespace

std::span<const Kernels* const> AvailableKernels(Precision precision) {
  static const std::vector<const Kernels*> fp32 = FindFp32();
  static const std::vector<const Kernels*> bf16 = FindBf16();
  return precision == Precision::kFp32 ? fp32 : bf16;
}

}  // namespace latentd::compute
