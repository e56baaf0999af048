// torch's CUDA random number generator, computed on the host.
#pragma once

#include <cstdint>
#include <span>

namespace latentd {

/// `torch.Generator(device="cuda")`: a Philox stream, laid out over the blocks and threads that torch would
/// launch (ATen/native/cuda/DistributionTemplates.h). A thread's subsequence is its index; each call of
/// curand_normal4 yields four normals, which go to elements a whole grid apart. Sines and cosines are exact
/// here, where the GPU approximates them (__sincosf): values agree to about 1e-6.
class CudaGenerator {
 public:
  /// `resident_threads`: how many threads the GPU holds at once, multiprocessors times threads of each; a
  /// larger tensor makes each thread draw more than once. The default suits every GPU with more threads than
  /// values are drawn.
  explicit CudaGenerator(uint64_t seed, uint64_t resident_threads = kDefaultResidentThreads)
      : seed_(seed), resident_threads_(resident_threads) {}

  /// GeForce RTX 4090: 128 multiprocessors of 1536 threads.
  static constexpr uint64_t kDefaultResidentThreads = 128 * 1536;

  /// `torch.randn(n, device="cuda")`
  void Normal(std::span<float> into);

 private:
  uint64_t seed_;
  uint64_t resident_threads_;
  /// Philox outputs that each thread has passed, a multiple of four.
  uint64_t offset_ = 0;
};

}  // namespace latentd
