// Every sampler by name.
#pragma once

#include <span>
#include <string_view>

#include "samplers/sampling.h"

namespace latentd {

enum class SamplerNoise {
  kNone,
  /// Successive draws of one generator.
  kSequential,
  /// A Brownian path, so that the noise between two sigmas doesn't depend on the steps taken.
  kBrownian,
  /// The same, drawn on the device of the latent.
  kBrownianOnDevice,
};

struct Sampler {
  std::string_view name;
  SamplerTask (*function)(Sampling& sampling);
  SamplerNoise noise = SamplerNoise::kNone;
  std::span<const std::string_view> options = {};
  /// CFG++: wants the unconditional prediction beside the guided one.
  bool needs_uncond = false;
  /// `KSampler` leaves the sigma before the last out for it (DISCARD_PENULTIMATE_SIGMA_SAMPLERS).
  bool discards_penultimate = false;
  /// Masked sampling re-noises the kept part with fresh noise of the next seed (inpaint_options random).
  bool random_inpaint_noise = false;
};

/// In ComfyUI's order (comfy/samplers.py, SAMPLER_NAMES).
std::span<const Sampler> Samplers();

/// Null for an unknown name.
const Sampler* FindSampler(std::string_view name);

// One straight-line function each; see the files named after them.
SamplerTask Euler(Sampling& s);
SamplerTask EulerAncestral(Sampling& s);
SamplerTask EulerCfgPp(Sampling& s);
SamplerTask EulerAncestralCfgPp(Sampling& s);
SamplerTask Heun(Sampling& s);
SamplerTask HeunPp2(Sampling& s);
SamplerTask Dpm2(Sampling& s);
SamplerTask Dpm2Ancestral(Sampling& s);
SamplerTask Lms(Sampling& s);
SamplerTask DpmFast(Sampling& s);
SamplerTask DpmAdaptive(Sampling& s);
SamplerTask DpmPp2SAncestral(Sampling& s);
SamplerTask DpmPp2SAncestralCfgPp(Sampling& s);
SamplerTask DpmPpSde(Sampling& s);
SamplerTask DpmPp2M(Sampling& s);
SamplerTask DpmPp2MCfgPp(Sampling& s);
SamplerTask DpmPp2MSde(Sampling& s);
SamplerTask DpmPp2MSdeHeun(Sampling& s);
SamplerTask DpmPp3MSde(Sampling& s);
SamplerTask Ddpm(Sampling& s);
SamplerTask Lcm(Sampling& s);
SamplerTask Ipndm(Sampling& s);
SamplerTask IpndmV(Sampling& s);
SamplerTask Deis(Sampling& s);
SamplerTask ResMultistep(Sampling& s);
SamplerTask ResMultistepCfgPp(Sampling& s);
SamplerTask ResMultistepAncestral(Sampling& s);
SamplerTask ResMultistepAncestralCfgPp(Sampling& s);
SamplerTask GradientEstimation(Sampling& s);
SamplerTask GradientEstimationCfgPp(Sampling& s);
SamplerTask ErSde(Sampling& s);
SamplerTask Seeds2(Sampling& s);
SamplerTask Seeds3(Sampling& s);
SamplerTask SaSolver(Sampling& s);
SamplerTask SaSolverPece(Sampling& s);
SamplerTask UniPc(Sampling& s);
SamplerTask UniPcBh2(Sampling& s);

}  // namespace latentd
