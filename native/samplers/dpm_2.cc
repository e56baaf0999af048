// DPM-Solver-2 in sigma: a midpoint evaluation at the geometric mean of two sigmas.
#include "samplers/steps.h"

namespace latentd {
namespace {

float GeometricMean(float a, float b) { return std::exp(Lerp(Log(a), Log(b), 0.5f)); }

}  // namespace

/// After Lu et al., "DPM-Solver", 2022, and Karras et al. 2022, algorithm 2 (k-diffusion, sample_dpm_2).
SamplerTask Dpm2(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = Churn(s, i, x);
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d = Derivative(x, denoised, sigma);
    if (sigma_next != 0) {
      const float sigma_mid = GeometricMean(sigma, sigma_next);
      x_2 = x + (sigma_mid - sigma) * d;
      co_await s.Denoise(x_2, sigma_mid, denoised);
      d = Derivative(x_2, denoised, sigma_mid);
    }
    x = x + (sigma_next - sigma) * d;
  }
}

/// The same past the next sigma, then noise up to it; on a flow that keeps less of x
/// (comfy/k_diffusion/sampling.py, sample_dpm_2_ancestral_RF).
SamplerTask Dpm2Ancestral(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const FlowAncestralStep flow(sigma, s.sigmas[i + 1], eta);
    const AncestralStep step =
        s.flow ? AncestralStep{flow.down, flow.noise} : AncestralStepBetween(sigma, s.sigmas[i + 1], eta);
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d = Derivative(x, denoised, sigma);
    if (step.down == 0) {
      x = x + (step.down - sigma) * d;
      continue;
    }
    const float sigma_mid = GeometricMean(sigma, step.down);
    x_2 = x + (sigma_mid - sigma) * d;
    co_await s.Denoise(x_2, sigma_mid, denoised);
    d = Derivative(x_2, denoised, sigma_mid);
    x = x + (step.down - sigma) * d;
    if (s.flow) x = flow.kept * x;
    s.AddNoise(x, {s_noise, step.up}, sigma, s.sigmas[i + 1]);
  }
}

}  // namespace latentd
