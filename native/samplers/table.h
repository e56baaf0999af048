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
  /// Works in log-SNR, which a flow's first sigma, 1, doesn't have: it begins a little below
  /// (offset_first_sigma_for_snr).
  bool offsets_first = false;
  /// Masked sampling re-noises the kept part with fresh noise of the next seed (inpaint_options random).
  bool random_inpaint_noise = false;
};

/// In ComfyUI's order (comfy/samplers.py, SAMPLER_NAMES).
std::span<const Sampler> Samplers();

/// Null for an unknown name.
const Sampler* FindSampler(std::string_view name);

}  // namespace latentd
