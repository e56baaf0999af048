// What CUDA hands out, held by objects that give it back.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "cuda/errors.h"

namespace latentd::cuda {

/// Memory of one kind. Contents are undefined.
template <typename Kind>
class Memory {
 public:
  Memory() = default;
  Memory(size_t bytes, const char* purpose) : bytes_(bytes) {
    if (bytes > 0) Check(Kind::Allocate(&data_, bytes), purpose);
  }
  ~Memory() {
    if (data_ != nullptr) static_cast<void>(Kind::Free(data_));
  }
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::byte* data() const { return static_cast<std::byte*>(data_); }
  size_t size() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

struct OnDevice {
  static cudaError_t Allocate(void** data, size_t bytes) { return cudaMalloc(data, bytes); }
  static cudaError_t Free(void* data) { return cudaFree(data); }
};

struct Pinned {
  static cudaError_t Allocate(void** data, size_t bytes) {
    return cudaHostAlloc(data, bytes, cudaHostAllocDefault);
  }
  static cudaError_t Free(void* data) { return cudaFreeHost(data); }
};

using DeviceMemory = Memory<OnDevice>;
/// Host memory that copies can be made from and to while the processor does something else.
using PinnedMemory = Memory<Pinned>;

class Stream {
 public:
  Stream() { Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream"); }
  ~Stream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  void Wait() const { Check(cudaStreamSynchronize(stream_), "waiting for the card"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { Check(cudaEventCreateWithFlags(&event_, 0), "creating an event"); }
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Record(cudaStream_t stream) { Check(cudaEventRecord(event_, stream), "recording an event"); }
  void Wait() const { Check(cudaEventSynchronize(event_), "waiting for the card"); }
  float MillisecondsSince(const Event& start) const {
    float milliseconds = 0;
    Check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "reading the time between events");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

#ifndef LATENTD_CUDA_EMULATION
/// A recorded sequence of launches that is started as one.
class RecordedGraph {
 public:
  RecordedGraph() = default;
  ~RecordedGraph() {
    if (executable_ != nullptr) static_cast<void>(cudaGraphExecDestroy(executable_));
  }
  RecordedGraph(RecordedGraph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  RecordedGraph& operator=(RecordedGraph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }

  template <typename Body>
  static RecordedGraph Record(cudaStream_t stream, const Body& body) {
    Check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
    cudaGraph_t graph = nullptr;
    try {
      body();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream, &graph));
      if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
      static_cast<void>(cudaGetLastError());
      throw;
    }
    Check(cudaStreamEndCapture(stream, &graph), "recording a graph");
    RecordedGraph recorded;
    const cudaError_t code = cudaGraphInstantiate(&recorded.executable_, graph, 0);
    static_cast<void>(cudaGraphDestroy(graph));
    Check(code, "preparing a recorded graph");
    return recorded;
  }
  bool recorded() const { return executable_ != nullptr; }
  void Launch(cudaStream_t stream) const {
    Check(cudaGraphLaunch(executable_, stream), "starting a recorded graph");
  }

 private:
  cudaGraphExec_t executable_ = nullptr;
};
#endif

}  // namespace latentd::cuda
