// Where a sampler's noise comes from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "random/cuda_generator.h"

namespace latentd {

/// k-diffusion's `noise_sampler(sigma, sigma_next)`: unit normal noise for the step between two sigmas.
class NoiseSampler {
 public:
  virtual ~NoiseSampler() = default;
  virtual void Sample(float sigma, float sigma_next, std::span<float> into) = 0;
};

/// Whose generator is followed: torch's CPU generator or its CUDA generator.
struct NoiseDevice {
  bool gpu = false;
  /// What `default_noise_sampler` adds to a run's seed. ComfyUI adds 1 on the CPU, so that the noise isn't
  /// the one that the run started from; versions of 2025 didn't.
  uint64_t seed_offset = 1;
  /// See CudaGenerator.
  uint64_t resident_threads = CudaGenerator::kDefaultResidentThreads;
};

/// `default_noise_sampler`: successive draws of one generator, whatever the sigmas. `skipped` draws of
/// `count` values each are thrown away first.
std::unique_ptr<NoiseSampler> SequentialNoise(uint64_t seed, NoiseDevice device, int skipped, size_t count);

/// `BrownianTreeNoiseSampler` over the sigmas above 0, of which there has to be one; nothing for a run
/// without steps.
std::unique_ptr<NoiseSampler> BrownianNoise(uint64_t seed, NoiseDevice device, std::span<const float> sigmas,
                                            size_t count);

}  // namespace latentd
