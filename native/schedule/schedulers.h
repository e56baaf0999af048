// ComfyUI's schedulers: which sigmas a sampler visits.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "schedule/noise_levels.h"

namespace latentd {

/// Falling sigmas, the last one 0 unless a scheduler says otherwise.
using Sigmas = std::vector<float>;

struct Scheduler {
  std::string_view name;
  Sigmas (*sigmas)(const NoiseLevels& levels, int steps);
};

/// The nine of `KSampler`, in ComfyUI's order (comfy/samplers.py, SCHEDULER_HANDLERS).
std::span<const Scheduler> Schedulers();

/// Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, equation 5.
Sigmas KarrasSigmas(int steps, double sigma_min, double sigma_max, double rho);
/// Evenly spaced logarithms.
Sigmas ExponentialSigmas(int steps, double sigma_min, double sigma_max);
/// Logarithms spaced by a power: 1 is the exponential schedule.
Sigmas PolyexponentialSigmas(int steps, double sigma_min, double sigma_max, double rho);
/// Song et al.'s continuous VP schedule, from t = 1 to `eps_s`.
Sigmas VpSigmas(int steps, double beta_d, double beta_min, double eps_s);
/// Hang et al., "Improved Noise Schedule for Diffusion Training", 2024. Doesn't end in 0.
Sigmas LaplaceSigmas(int steps, double sigma_min, double sigma_max, double mu, double beta);
/// Lee et al., "Beta Sampling is All You Need", 2024: timesteps at a beta distribution's quantiles, doubles
/// dropped.
Sigmas BetaSigmas(const NoiseLevels& levels, int steps, double alpha, double beta);

/// Which sigmas `KSampler` visits: those of `steps / denoise` steps, of which the last `steps` + 1 remain;
/// none for `denoise` <= 0. With `discard_penultimate` one more step is made and the last sigma before 0 left
/// out.
Sigmas KSamplerSigmas(const NoiseLevels& levels, const Scheduler& scheduler, int steps, double denoise,
                      bool discard_penultimate);

}  // namespace latentd
