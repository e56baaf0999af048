// Scalars that many samplers share. All are float32: torch keeps them as float32 tensors of no dimension.
#pragma once

#include <algorithm>
#include <cmath>

#include "samplers/sampling.h"
#include "schedule/torch_float.h"

namespace latentd {

/// A step down past the next sigma, and the noise that brings it back up.
struct AncestralStep {
  float down;
  float up;
};

/// k-diffusion's get_ancestral_step
inline AncestralStep AncestralStepBetween(float from, float to, double eta) {
  if (eta == 0) return {to, 0};
  const float variance = to * to * (from * from - to * to) / (from * from);
  const float up = std::min(to, static_cast<float>(eta) * std::sqrt(variance));
  return {std::sqrt(to * to - up * up), up};
}

/// log(alpha / sigma) of a variance-exploding model: ComfyUI's sigma_to_half_log_snr, DPM-Solver's lambda
/// (and t).
inline float HalfLogSnr(float sigma) { return -Log(sigma); }
inline float SigmaOfHalfLogSnr(float lambda) { return std::exp(-lambda); }

/// log(alpha / sigma) of the run's own model, whose alpha is 1 − sigma where it is a flow
/// (comfy/k_diffusion/sampling.py, sigma_to_half_log_snr and half_log_snr_to_sigma).
inline float HalfLogSnr(const Sampling& s, float sigma) {
  return s.flow ? -Log(sigma / (1 - sigma)) : HalfLogSnr(sigma);
}
inline float SigmaOfHalfLogSnr(const Sampling& s, float lambda) {
  return s.flow ? 1 / (1 + std::exp(lambda)) : SigmaOfHalfLogSnr(lambda);
}

/// An ancestral step of a flow: down past the next sigma, then noise that keeps signal and noise in their
/// relation there (comfy/k_diffusion/sampling.py, sample_euler_ancestral_RF).
struct FlowAncestralStep {
  FlowAncestralStep(float from, float to, double eta)
      : down(to * (1 + (to / from - 1) * static_cast<float>(eta))),
        kept((1 - to) / (1 - down)),
        noise(std::sqrt(to * to - down * down * ((1 - to) * (1 - to)) / ((1 - down) * (1 - down)))) {}

  float down;
  /// What is left of x when the noise comes.
  float kept;
  float noise;
};

/// torch.lerp, which counts from the nearer end.
inline float Lerp(float start, float end, float weight) {
  return std::abs(weight) < 0.5f ? std::fma(weight, end - start, start)
                                 : std::fma(weight - 1, end - start, end);
}

/// Stochastic churn of Karras et al. 2022, algorithm 2, line 4 to 6: adds noise to `x` where the options ask
/// for it and returns the raised sigma. The noise is drawn on torch's global generator.
inline float Churn(Sampling& s, int i, Latent& x) {
  const float sigma = s.sigmas[i];
  const double churn = s.options.Number("s_churn", 0);
  if (churn <= 0) return sigma;
  const bool within = static_cast<float>(s.options.Number("s_tmin", 0)) <= sigma &&
                      sigma <= static_cast<float>(s.options.Number("s_tmax", INFINITY));
  const double gamma = within ? std::min(churn / s.steps(), std::sqrt(2.0) - 1) : 0.0;
  if (gamma <= 0) return sigma;
  const float raised = sigma * static_cast<float>(gamma + 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  s.AddGlobalNoise(x, {s_noise, std::sqrt(raised * raised - sigma * sigma)});
  return raised;
}

}  // namespace latentd
