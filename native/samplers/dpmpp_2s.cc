// DPM-Solver++(2S): single-step, second order, ancestral.
// Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", 2022,
// algorithm 1.
#include "samplers/steps.h"

namespace latentd {
namespace {

/// On a flow (comfy/k_diffusion/sampling.py, sample_dpmpp_2s_ancestral_RF).
SamplerTask FlowDpmPp2SAncestral(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    const FlowAncestralStep step(sigma, sigma_next, eta);
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      d = Derivative(x, denoised, sigma);
      x = x + (step.down - sigma) * d;
      continue;
    }
    float sigma_mid = 0.9999f;
    if (sigma != 1) {
      const float t = Log((1 - sigma) / sigma);
      const float h = Log((1 - step.down) / step.down) - t;
      sigma_mid = 1 / (std::exp(t + 0.5f * h) + 1);
    }
    const float mid_ratio = sigma_mid / sigma;
    x_2 = mid_ratio * x + (1 - mid_ratio) * denoised;
    co_await s.Denoise(x_2, sigma_mid, denoised);
    const float ratio = step.down / sigma;
    x = ratio * x + (1 - ratio) * denoised;
    if (eta > 0) {
      x = step.kept * x;
      s.AddNoise(x, {s_noise, step.noise}, sigma, sigma_next);
    }
  }
}

SamplerTask PlainDpmPp2SAncestral(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const AncestralStep step = AncestralStepBetween(sigma, s.sigmas[i + 1], eta);
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    if (step.down == 0) {
      d = Derivative(x, denoised, sigma);
      x = x + (step.down - sigma) * d;
    } else {
      const float t = HalfLogSnr(sigma);
      const float t_next = HalfLogSnr(step.down);
      const float h = t_next - t;
      const float sigma_mid = SigmaOfHalfLogSnr(t + 0.5f * h);
      const float sigma_t = SigmaOfHalfLogSnr(t);
      x_2 = (sigma_mid / sigma_t) * x - Expm1(-h * 0.5f) * denoised;
      co_await s.Denoise(x_2, sigma_mid, denoised);
      x = (SigmaOfHalfLogSnr(t_next) / sigma_t) * x - Expm1(-h) * denoised;
    }
    if (s.sigmas[i + 1] > 0) s.AddNoise(x, {s_noise, step.up}, sigma, s.sigmas[i + 1]);
  }
}

}  // namespace

/// k-diffusion, sample_dpmpp_2s_ancestral
SamplerTask DpmPp2SAncestral(Sampling& s) {
  return s.flow ? FlowDpmPp2SAncestral(s) : PlainDpmPp2SAncestral(s);
}

/// The same with CFG++ (comfy/k_diffusion/sampling.py, sample_dpmpp_2s_ancestral_cfg_pp): x is first moved by
/// the guidance.
SamplerTask DpmPp2SAncestralCfgPp(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent denoised_2 = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const AncestralStep step = AncestralStepBetween(sigma, s.sigmas[i + 1], eta);
    co_await s.Denoise(x, sigma, denoised, uncond_denoised);
    s.Report(i, denoised);
    if (step.down == 0) {
      d = Derivative(x, uncond_denoised, sigma);
      x = denoised + step.down * d;
    } else {
      const float t = HalfLogSnr(sigma);
      const float t_next = HalfLogSnr(step.down);
      const float h = t_next - t;
      const float sigma_mid = SigmaOfHalfLogSnr(t + 0.5f * h);
      const float sigma_t = SigmaOfHalfLogSnr(t);
      d = denoised - uncond_denoised;
      x_2 = x + d;
      x_2 = (sigma_mid / sigma_t) * x_2 - Expm1(-h * 0.5f) * denoised;
      co_await s.Denoise(x_2, sigma_mid, denoised_2, uncond_denoised);
      // The second evaluation's unconditional half stands against the first one's guided half, as in ComfyUI.
      d = denoised - uncond_denoised;
      x = x + d;
      x = (SigmaOfHalfLogSnr(t_next) / sigma_t) * x - Expm1(-h) * denoised_2;
    }
    if (s.sigmas[i + 1] > 0) s.AddNoise(x, {s_noise, step.up}, sigma, s.sigmas[i + 1]);
  }
}

}  // namespace latentd
