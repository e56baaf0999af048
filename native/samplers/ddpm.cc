// Samplers that denoise fully and add noise anew.
#include "samplers/steps.h"

namespace latentd {

/// Ho et al., "Denoising Diffusion Probabilistic Models", 2020, algorithm 2, in the variance-preserving scale
/// (comfy/k_diffusion/sampling.py, generic_step_sampler and DDPMSampler_step).
SamplerTask Ddpm(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent eps = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    eps = Derivative(x, denoised, sigma);
    const float alpha_bar = 1 / (sigma * sigma + 1);
    const float alpha_bar_next = 1 / (sigma_next * sigma_next + 1);
    const float alpha = alpha_bar / alpha_bar_next;
    x = x / std::sqrt(1 + sigma * sigma);
    eps = (1 - alpha) * eps;
    eps = eps / std::sqrt(1 - alpha_bar);
    x = x - eps;
    x = std::sqrt(1 / alpha) * x;
    if (sigma_next > 0) {
      const float deviation = std::sqrt((1 - alpha) * (1 - alpha_bar_next) / (1 - alpha_bar));
      s.AddNoise(x, {deviation}, sigma, sigma_next);
      x = std::sqrt(1 + sigma_next * sigma_next) * x;
    }
  }
}

/// Luo et al., "Latent Consistency Models", 2023, algorithm 3.
SamplerTask Lcm(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    x = denoised;
    if (s.sigmas[i + 1] > 0) s.AddNoise(x, {s.sigmas[i + 1]}, s.sigmas[i], s.sigmas[i + 1]);
  }
}

}  // namespace latentd
