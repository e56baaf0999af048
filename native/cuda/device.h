// A card: its stream, what is shared by all models on it, and what was measured there.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda/cublaslt.h"
#include "cuda/kernels/kernels.h"
#include "cuda/resources.h"

namespace latentd::cuda {

class Device {
 public:
  /// Throws `CudaError` when there is no such card, or no driver for it.
  explicit Device(int index);

  /// Memory that can be had.
  size_t FreeBytes() const;
  /// Makes the card this thread's.
  void Use() const;

  /// At least `bytes` for activations, which all programs share as they run in turn. A larger one replaces
  /// it, and then `arena_generation` is another.
  std::byte* Arena(size_t bytes);
  /// Gives its memory back until the next run asks for it.
  void ReleaseArena();
  int arena_generation() const { return arena_generation_; }

  const cudaDeviceProp& properties() const { return properties_; }
  CublasLt* cublas() const { return cublas_.get(); }
  /// Why there is none.
  const std::string& no_cublas() const { return no_cublas_; }

  /// Held while anything is done with the card.
  std::mutex mutex;
  Stream& stream() { return *stream_; }
  /// The fastest algorithm for each product, by a description of its shape.
  std::map<std::string, int> algorithms;
  bool algorithms_changed = false;
  /// For comparisons: the plain twins, or one tile for all products; kMeasured otherwise.
  static constexpr int kMeasured = -1;
  static constexpr int kPlain = -2;
  int forced = kMeasured;

 private:
  int index_;
  cudaDeviceProp properties_{};
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<CublasLt> cublas_;
  std::string no_cublas_;
  DeviceMemory arena_;
  int arena_generation_ = 0;
};

}  // namespace latentd::cuda
