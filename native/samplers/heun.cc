// Heun's method and its extension by a third evaluation.
#include "samplers/steps.h"

namespace latentd {

/// Karras et al. 2022, algorithm 2.
SamplerTask Heun(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  Latent d_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = Churn(s, i, x);
    const float sigma_next = s.sigmas[i + 1];
    const float dt = sigma_next - sigma;
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d = Derivative(x, denoised, sigma);
    if (sigma_next == 0) {
      x = x + dt * d;
      continue;
    }
    x_2 = x + dt * d;
    co_await s.Denoise(x_2, sigma_next, denoised);
    d_2 = Derivative(x_2, denoised, sigma_next);
    d = 0.5f * d + 0.5f * d_2;
    x = x + dt * d;
  }
}

/// Heun++ (github.com/Carzit/sd-webui-samplers-scheduler): derivatives at up to three sigmas, weighted by
/// those sigmas.
SamplerTask HeunPp2(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent d = s.New();
  Latent x_2 = s.New();
  Latent d_2 = s.New();
  Latent x_3 = s.New();
  Latent d_3 = s.New();
  const float last = s.sigmas.back();
  for (int i = 0; i < s.steps(); ++i) {
    const int draws = s.global_draws();
    const float sigma = Churn(s, i, x);
    // ComfyUI draws where it adds nothing, too.
    if (s.global_draws() == draws) s.PassGlobalNoise();
    const float sigma_2 = s.sigmas[i + 1];
    const float dt = sigma_2 - sigma;
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d = Derivative(x, denoised, sigma);
    if (sigma_2 == last) {
      x = x + dt * d;
      continue;
    }
    x_2 = x + dt * d;
    co_await s.Denoise(x_2, sigma_2, denoised);
    d_2 = Derivative(x_2, denoised, sigma_2);
    const float sigma_3 = s.sigmas[i + 2];
    if (sigma_3 == last) {
      const float w2 = sigma_2 / (2 * s.sigmas[0]);
      d = (1 - w2) * d + w2 * d_2;
    } else {
      x_3 = x_2 + (sigma_3 - sigma_2) * d_2;
      co_await s.Denoise(x_3, sigma_3, denoised);
      d_3 = Derivative(x_3, denoised, sigma_3);
      const float w = 3 * s.sigmas[0];
      const float w2 = sigma_2 / w;
      const float w3 = sigma_3 / w;
      d = (1 - w2 - w3) * d + w2 * d_2 + w3 * d_3;
    }
    x = x + dt * d;
  }
}

}  // namespace latentd
