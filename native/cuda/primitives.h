// The instructions of tensor cores and asynchronous copies (sm_80 and later), by their names in PTX.
#pragma once

#include "cuda/numbers.h"

namespace latentd::cuda {

/// A thread's place in its warp.
__device__ __forceinline__ int LaneOf(int thread) { return thread & 31; }

#ifdef LATENTD_CUDA_EMULATION

template <typename T>
void MmaM16N8K16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
/// Four 8×8 matrices; lane l gives the row l % 8 of matrix l / 8, and gets two neighbours of row l / 4 of
/// each.
void LoadMatrices(uint32_t (&to)[4], const void* row);
/// The same, each matrix transposed on its way.
void LoadMatricesTransposed(uint32_t (&to)[4], const void* row);
float ShuffleXor(float value, int lanes);

/// 16 bytes from global to shared memory, the first `bytes` of them read and the others zero.
inline void CopyAsync(void* shared, const void* global, int bytes) {
  emulation::CopyLater(shared, global, bytes, 16 - bytes);
}
inline void CommitCopies() { emulation::CommitCopies(); }
template <int kGroupsLeft>
void AwaitCopies() {
  emulation::AwaitCopies(kGroupsLeft);
}
inline char* DynamicShared() { return static_cast<char*>(emulation::SharedMemory()); }
inline float Exp2(float x) { return __builtin_exp2f(x); }
inline float Exp(float x) { return __builtin_expf(x); }
inline float Erf(float x) { return __builtin_erff(x); }
inline float Tanh(float x) { return __builtin_tanhf(x); }
inline float ReciprocalRoot(float x) { return 1 / __builtin_sqrtf(x); }
inline float CosinePi(float x) { return __builtin_cosf(x * 3.14159265358979323846f); }
inline float SinePi(float x) { return __builtin_sinf(x * 3.14159265358979323846f); }
inline float RoundedProduct(float a, float b) { return a * b; }
inline float RoundedSum(float a, float b) { return a + b; }
inline float RoundedQuotient(float a, float b) { return a / b; }
inline float FusedSum(float a, float b, float sum) { return __builtin_fmaf(a, b, sum); }

#else

template <typename T>
__device__ __forceinline__ void MmaM16N8K16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

template <>
__device__ __forceinline__ void MmaM16N8K16<F16>(float (&c)[4], const uint32_t (&a)[4],
                                                 const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

template <>
__device__ __forceinline__ void MmaM16N8K16<BF16>(float (&c)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ uint32_t SharedAddress(const void* shared) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

__device__ __forceinline__ void LoadMatrices(uint32_t (&to)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row))
               : "memory");
}

__device__ __forceinline__ void LoadMatricesTransposed(uint32_t (&to)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row))
               : "memory");
}

__device__ __forceinline__ float ShuffleXor(float value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, value, lanes);
}

__device__ __forceinline__ void CopyAsync(void* shared, const void* global, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(SharedAddress(shared)), "l"(global),
               "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void CommitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kGroupsLeft>
__device__ __forceinline__ void AwaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroupsLeft) : "memory");
}

__device__ __forceinline__ char* DynamicShared() {
  extern __shared__ __align__(128) char latentd_shared[];
  return latentd_shared;
}
__device__ __forceinline__ float Exp2(float x) { return exp2f(x); }
__device__ __forceinline__ float Exp(float x) { return __expf(x); }
__device__ __forceinline__ float Erf(float x) { return erff(x); }
__device__ __forceinline__ float Tanh(float x) { return tanhf(x); }
__device__ __forceinline__ float ReciprocalRoot(float x) { return rsqrtf(x); }
__device__ __forceinline__ float CosinePi(float x) { return cospif(x); }
__device__ __forceinline__ float SinePi(float x) { return sinpif(x); }
// None of these is contracted with another.
__device__ __forceinline__ float RoundedProduct(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float RoundedSum(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float RoundedQuotient(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float FusedSum(float a, float b, float sum) { return __fmaf_rn(a, b, sum); }

#endif

/// The sum over the 32 lanes, in all of them.
__device__ __forceinline__ float WarpSum(float value) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value += ShuffleXor(value, lanes);
  return value;
}

__device__ __forceinline__ float Gelu(float x) { return 0.5f * x * (1.0f + Erf(x * 0.70710678118654752f)); }

__device__ __forceinline__ float Apply(Activation activation, float x) {
  switch (activation) {
    case Activation::kSilu:
      return x / (1.0f + Exp(-x));
    case Activation::kGelu:
      return Gelu(x);
    case Activation::kGeluTanh:
      return x / (1.0f + Exp(-1.5957691216057308f * (x + 0.044715f * (x * x * x))));
    case Activation::kQuickGelu:
      return x / (1.0f + Exp(-1.702f * x));
    case Activation::kRelu:
      // NaN stays.
      return x < 0 ? 0 : x;
    case Activation::kSigmoid:
      return 1.0f / (1.0f + Exp(-x));
    case Activation::kTanh:
      return Tanh(x);
    default:
      return x;
  }
}

}  // namespace latentd::cuda
