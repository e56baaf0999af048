// Every call into CUDA is checked; what goes wrong becomes an exception that says so.
#pragma once

#include <stdexcept>
#include <string>

#include "cuda/platform.h"

namespace latentd::cuda {

/// What CUDA refused, with what was being done.
class CudaError : public std::runtime_error {
 public:
  CudaError(cudaError_t code, const char* action)
      : std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(code) + " (" + cudaGetErrorName(code) +
                           ") while " + action),
        code_(code) {}
  /// The same, in a layer.
  CudaError(const CudaError& error, const std::string& layer)
      : std::runtime_error(std::string(error.what()) + ", in " + layer), code_(error.code_) {}

  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

inline void Check(cudaError_t code, const char* action) {
  if (code == cudaSuccess) return;
  // An error of one call must not be found again by the next.
  static_cast<void>(cudaGetLastError());
  throw CudaError(code, action);
}

}  // namespace latentd::cuda
