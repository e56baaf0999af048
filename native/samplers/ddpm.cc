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

/// Luo et al., "Latent Consistency Models", 2023, algorithm 3. The noise may be weighed, from `s_noise` at
/// the first step to `s_noise_end` at the last, and cut off at a number of deviations (`noise_clip_std`).
SamplerTask Lcm(Sampling& s) {
  const double weight = s.options.Number("s_noise", 1);
  const double last_weight = s.options.Number("s_noise_end", weight);
  const double clip = s.options.Number("noise_clip_std", 0);
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent noise = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    x = denoised;
    if (!(sigma_next > 0)) continue;
    s.Noise(noise, s.sigmas[i], sigma_next, clip);
    const double share = s.steps() > 1 ? static_cast<double>(i) / (s.steps() - 1) : 0.0;
    const double factor = weight + (last_weight - weight) * share;
    if (factor != 1) noise = static_cast<float>(factor) * noise;
    if (s.flow) {
      x = sigma_next * noise + (1 - sigma_next) * x;
    } else {
      x = x + sigma_next * noise;
    }
  }
}

}  // namespace latentd
