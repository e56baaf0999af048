// A sampler as one addon lends it to another, which runs it on a thread, and on latents in memory, of its
// own.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "samplers/sampling.h"

namespace latentd {

/// Everything but its destruction happens on one thread at a time.
class LentSampler {
 public:
  virtual ~LentSampler() = default;

  /// What its lender takes these classes for: `kSamplerLayout`, when both addons are of one build.
  virtual uint64_t Layout() const = 0;

  /// Takes memory for latents and runs to the first evaluation; once. Throws `std::out_of_range` for options
  /// that the sampler can't take.
  virtual Sampling& Begin(LatentMemory& memory) = 0;
  /// Goes on with the answer in its place, to the next evaluation or to the end.
  virtual void Resume() = 0;
  /// Gives the latents back.
  virtual void End() noexcept = 0;
  /// What the network is told for a noise level.
  virtual float Timestep(float sigma) const = 0;
};

constexpr uint64_t kSamplerLayout = (sizeof(Sampling) << 32) + (sizeof(Sampling::Setup) << 16) +
                                    (sizeof(Evaluation) << 8) + offsetof(Evaluation, denoised);

constexpr napi_type_tag kLentSamplerTag{0x6c6174656e746420, 0x73616d706c657273};

}  // namespace latentd
