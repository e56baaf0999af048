// Refined exponential solver, second-order multistep.
// Zhang et al., "Improved Order Analysis and Design of Exponential Integrator for Diffusion Models Sampling",
// 2023.
#include <limits>
#include <utility>

#include "samplers/steps.h"

namespace latentd {
namespace {

/// torch.nan_to_num(value, nan=0)
float Finite(float value) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return std::isnan(value) ? 0 : std::clamp(value, -kLargest, kLargest);
}

float Phi1(float t) { return Expm1(t) / t; }
float Phi2(float t) { return (Phi1(t) - 1) / t; }

/// comfy/k_diffusion/sampling.py, res_multistep. With CFG++ the unconditional prediction takes the place of
/// the guided one, after x was moved by the guidance.
SamplerTask RefinedMultistep(Sampling& s, double eta, bool cfg_pp) {
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent old_denoised = s.New();
  Latent d = s.New();
  float old_sigma_down = 0;
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const AncestralStep step = AncestralStepBetween(sigma, s.sigmas[i + 1], eta);
    if (cfg_pp) {
      co_await s.Denoise(x, sigma, denoised, uncond_denoised);
    } else {
      co_await s.Denoise(x, sigma, denoised);
    }
    s.Report(i, denoised);
    Latent& followed = cfg_pp ? uncond_denoised : denoised;
    if (step.down == 0 || i == 0) {
      d = Derivative(x, followed, sigma);
      if (cfg_pp) {
        x = denoised + step.down * d;
      } else {
        x = x + (step.down - sigma) * d;
      }
    } else {
      const float t = HalfLogSnr(sigma);
      const float h = HalfLogSnr(step.down) - t;
      const float c2 = (HalfLogSnr(s.sigmas[i - 1]) - HalfLogSnr(old_sigma_down)) / h;
      const float b1 = Finite(Phi1(-h) - Phi2(-h) / c2);
      const float b2 = Finite(Phi2(-h) / c2);
      if (cfg_pp) {
        d = denoised - uncond_denoised;
        x = x + d;
      }
      d = b1 * followed + b2 * old_denoised;
      x = SigmaOfHalfLogSnr(h) * x + h * d;
    }
    if (s.sigmas[i + 1] > 0 && eta != 0) s.AddNoise(x, {s_noise, step.up}, sigma, s.sigmas[i + 1]);
    std::swap(old_denoised, followed);
    old_sigma_down = step.down;
  }
}

}  // namespace

SamplerTask ResMultistep(Sampling& s) { return RefinedMultistep(s, 0, false); }

SamplerTask ResMultistepCfgPp(Sampling& s) { return RefinedMultistep(s, 0, true); }

SamplerTask ResMultistepAncestral(Sampling& s) {
  return RefinedMultistep(s, s.options.Number("eta", 1), false);
}

SamplerTask ResMultistepAncestralCfgPp(Sampling& s) {
  return RefinedMultistep(s, s.options.Number("eta", 1), true);
}

}  // namespace latentd
