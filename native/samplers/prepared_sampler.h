// A sampler that is set up, to be run once on latents in any memory, on any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "samplers/sampling.h"
#include "samplers/table.h"
#include "schedule/noise_levels.h"

namespace latentd {

/// Everything happens on one thread at a time.
class PreparedSampler {
 public:
  /// `x` is the noised latent to begin with.
  PreparedSampler(const Sampler& sampler, Sampling::Setup setup, std::vector<float> x,
                  std::unique_ptr<NoiseLevels> levels);

  /// Takes memory for latents and runs to the first evaluation; once. Throws `std::out_of_range` for options
  /// that the sampler can't take.
  Sampling& Begin(LatentMemory& memory);
  /// Goes on with the answer in its place, to the next evaluation or to the end.
  void Resume() { task_->Resume(); }
  /// Gives the latents back.
  void End() noexcept;
  /// What the network is told for a noise level.
  float Timestep(float sigma) const { return levels_->Timestep(sigma); }

 private:
  const Sampler& sampler_;
  Sampling::Setup setup_;
  std::vector<float> x_;
  std::unique_ptr<NoiseLevels> levels_;
  std::optional<Sampling> sampling_;
  /// Destroyed before what it refers to.
  std::optional<SamplerTask> task_;
};

}  // namespace latentd
