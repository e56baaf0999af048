// The part of CUDA's runtime that the engine calls, on the host's memory. Everything happens at once and in
// order.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorMemoryAllocation = 2,
  cudaErrorIllegalAddress = 700,
  cudaErrorNotSupported = 801
};

namespace latentd::cuda::emulation {

/// What tests may have happen to the card.
struct Card {
  std::atomic<size_t> memory_bytes = size_t{8} << 30;
  std::atomic<size_t> allocated_bytes = 0;
  /// As after an illegal access: nothing works any more.
  std::atomic<bool> lost = false;

  cudaError_t Answer() const { return lost ? cudaErrorIllegalAddress : cudaSuccess; }
};
inline Card card;

/// Lies before what an allocation hands out.
struct Allocation {
  size_t bytes;
};
constexpr size_t kAllocationBytes = 256;

}  // namespace latentd::cuda::emulation

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
using cudaStream_t = void*;
struct EmulatedEvent {
  std::chrono::steady_clock::time_point at;
};
using cudaEvent_t = EmulatedEvent*;
using cudaGraph_t = void*;
using cudaGraphExec_t = void*;

constexpr unsigned cudaStreamNonBlocking = 1;
constexpr unsigned cudaEventDisableTiming = 2;
constexpr unsigned cudaHostAllocDefault = 0;

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  size_t sharedMemPerBlockOptin;
  int major, minor, multiProcessorCount, l2CacheSize, integrated;
};

inline const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    default:
      return "not supported by the emulation";
  }
}
inline const char* cudaGetErrorName(cudaError_t) { return "emulated error"; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaDriverGetVersion(int* version) { return *version = 0, cudaSuccess; }
inline cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 0, cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"emulated", latentd::cuda::emulation::card.memory_bytes, 99 << 10, 8, 0, 4, 1 << 20, 0};
  return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const auto& card = latentd::cuda::emulation::card;
  *total = card.memory_bytes;
  *free = *total - card.allocated_bytes;
  return card.Answer();
}
inline cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  using namespace latentd::cuda::emulation;
  const size_t whole = kAllocationBytes + (bytes + 255) / 256 * 256;
  auto* const allocation = static_cast<std::byte*>(std::aligned_alloc(kAllocationBytes, whole));
  if (allocation == nullptr) return cudaErrorMemoryAllocation;
  reinterpret_cast<Allocation*>(allocation)->bytes = bytes;
  *memory = allocation + kAllocationBytes;
  std::memset(*memory, 0xff, bytes);  // NaN in every format: what is read before it is written shows.
  return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void* memory) {
  std::free(static_cast<std::byte*>(memory) - latentd::cuda::emulation::kAllocationBytes);
  return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** memory, size_t bytes) {
  using latentd::cuda::emulation::card;
  if (card.lost) return card.Answer();
  if (card.allocated_bytes + bytes > card.memory_bytes) return cudaErrorMemoryAllocation;
  card.allocated_bytes += bytes;
  return cudaHostAlloc(memory, bytes, 0);
}
inline cudaError_t cudaFree(void* memory) {
  using namespace latentd::cuda::emulation;
  card.allocated_bytes -=
      reinterpret_cast<Allocation*>(static_cast<std::byte*>(memory) - kAllocationBytes)->bytes;
  return cudaFreeHost(memory);
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  return std::memcpy(to, from, bytes), latentd::cuda::emulation::card.Answer();
}
inline cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  return std::memset(memory, value, bytes), cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return *stream = nullptr, cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return latentd::cuda::emulation::card.Answer(); }
inline cudaError_t cudaDeviceSynchronize() { return latentd::cuda::emulation::card.Answer(); }
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return *event = new EmulatedEvent{}, cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  return event->at = std::chrono::steady_clock::now(), cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = std::chrono::duration<float, std::milli>(to->at - from->at).count();
  return cudaSuccess;
}
