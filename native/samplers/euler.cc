// Euler's method on the probability flow ODE, plain, ancestral and with CFG++.
#include "samplers/steps.h"

namespace latentd {

/// Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, algorithm 2
/// without the second-order correction.
SamplerTask Euler(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = Churn(s, i, x);
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d = Derivative(x, denoised, sigma);
    x = x + (s.sigmas[i + 1] - sigma) * d;
  }
}

namespace {

SamplerTask PlainEulerAncestral(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    const AncestralStep step = AncestralStepBetween(sigma, s.sigmas[i + 1], eta);
    if (step.down == 0) {
      x = denoised;
      continue;
    }
    d = Derivative(x, denoised, sigma);
    x = x + (step.down - sigma) * d;
    s.AddNoise(x, {s_noise, step.up}, sigma, s.sigmas[i + 1]);
  }
}

/// The same on a flow (comfy/k_diffusion/sampling.py, sample_euler_ancestral_RF).
SamplerTask FlowEulerAncestral(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const FlowAncestralStep step(sigma, sigma_next, eta);
    const float ratio = step.down / sigma;
    x = ratio * x + (1 - ratio) * denoised;
    if (eta > 0) {
      x = step.kept * x;
      s.AddNoise(x, {s_noise, step.noise}, sigma, sigma_next);
    }
  }
}

}  // namespace

/// Euler steps past the next sigma, then noise up to it (k-diffusion, sample_euler_ancestral).
SamplerTask EulerAncestral(Sampling& s) { return s.flow ? FlowEulerAncestral(s) : PlainEulerAncestral(s); }

namespace {

/// Chung et al., "CFG++: Manifold-constrained Classifier Free Guidance for Diffusion Models", 2024: the noise
/// direction is the unconditional one (comfy/k_diffusion/sampling.py, sample_euler_ancestral_cfg_pp).
SamplerTask EulerWithUnconditionalNoise(Sampling& s, double eta, double s_noise) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised, uncond_denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const float alpha = sigma * std::exp(HalfLogSnr(s, sigma));
    const float alpha_next = sigma_next * std::exp(HalfLogSnr(s, sigma_next));
    uncond_denoised = alpha * uncond_denoised;
    d = Derivative(x, uncond_denoised, sigma);
    const AncestralStep step = AncestralStepBetween(sigma / alpha, sigma_next / alpha_next, eta);
    x = alpha_next * denoised + (alpha_next * step.down) * d;
    if (eta > 0 && s_noise > 0) {
      s.AddNoise(x, {alpha_next, static_cast<float>(s_noise), step.up}, sigma, sigma_next);
    }
  }
}

}  // namespace

namespace {

/// The form of SamplerEulerCFGpp's "alternative" (comfy_extras/nodes_advanced_samplers.py, sample_euler_pp).
SamplerTask AlternativeEulerCfgPp(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    co_await s.Denoise(x, sigma, denoised, uncond_denoised);
    d = x - denoised;
    d = d + uncond_denoised;
    d = Derivative(d, denoised, sigma);
    s.Report(i, denoised);
    x = x + (s.sigmas[i + 1] - sigma) * d;
  }
}

}  // namespace

SamplerTask EulerCfgPp(Sampling& s) {
  if (s.options.Text("version", "regular") == "alternative") return AlternativeEulerCfgPp(s);
  return EulerWithUnconditionalNoise(s, 0, 0);
}

SamplerTask EulerAncestralCfgPp(Sampling& s) {
  return EulerWithUnconditionalNoise(s, s.options.Number("eta", 1), s.options.Number("s_noise", 1));
}

}  // namespace latentd
