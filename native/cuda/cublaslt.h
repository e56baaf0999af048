// NVIDIA's matrix products, out of libcublasLt where the machine has it: opened at run time, so that nothing
// needs it to load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/kernels/kernels.h"

namespace latentd::cuda {

/// What it is asked for: out = x · weightᵀ + bias + residual, of 16-bit numbers.
struct LibraryProduct {
  Matrix x;
  const void* weight;
  int outputs, inner;
  /// Of the program's precision; may be null.
  const void* bias;
  Matrix residual;
  Matrix out;
};

class CublasLt {
 public:
  /// Null when the library isn't there; `why` then says so.
  static std::unique_ptr<CublasLt> Open(std::string& why);
  ~CublasLt();

  /// How many algorithms the library proposes for a product of this shape, at most `kMostAlgorithms`.
  int Algorithms(Precision precision, const LibraryProduct& product);
  /// Computes it by the `algorithm`-th; false when the library refuses.
  bool Run(Precision precision, const LibraryProduct& product, int algorithm, cudaStream_t stream);
  size_t version() const;

  static constexpr int kMostAlgorithms = 4;

 private:
  CublasLt();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace latentd::cuda
