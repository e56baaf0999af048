// Permenter and Yuan, "Interpreting and Improving Diffusion Models from an Optimization Perspective", 2024,
// algorithm 2: Euler's method with an extrapolated derivative.
#include <utility>

#include "samplers/steps.h"

namespace latentd {
namespace {

/// comfy/k_diffusion/sampling.py, sample_gradient_estimation
SamplerTask Extrapolated(Sampling& s, bool cfg_pp) {
  const float gamma = static_cast<float>(s.options.Number("ge_gamma", 2) - 1);
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent d = s.New();
  Latent old_d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    const float dt = sigma_next - sigma;
    if (cfg_pp) {
      co_await s.Denoise(x, sigma, denoised, uncond_denoised);
    } else {
      co_await s.Denoise(x, sigma, denoised);
    }
    s.Report(i, denoised);
    d = Derivative(x, cfg_pp ? uncond_denoised : denoised, sigma);
    if (sigma_next == 0) {
      x = denoised;
    } else {
      if (cfg_pp) {
        x = denoised + sigma_next * d;
      } else {
        x = x + dt * d;
      }
      if (i >= 1) {
        old_d = d - old_d;
        old_d = gamma * old_d;
        x = x + dt * old_d;
      }
    }
    std::swap(old_d, d);
  }
}

}  // namespace

SamplerTask GradientEstimation(Sampling& s) { return Extrapolated(s, false); }

SamplerTask GradientEstimationCfgPp(Sampling& s) { return Extrapolated(s, true); }

}  // namespace latentd
