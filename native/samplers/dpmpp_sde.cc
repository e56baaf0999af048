// DPM-Solver++ for the reverse SDE, single-step.
#include "samplers/steps.h"

namespace latentd {

/// k-diffusion, sample_dpmpp_sde: a midpoint at `r` of the step in log-SNR, each half-step ancestral.
SamplerTask DpmPpSde(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const double s_noise = s.options.Number("s_noise", 1);
  const double r = s.options.Number("r", 0.5);
  const double fac = 1 / (2 * r);
  const bool noisy = eta > 0 && s_noise > 0;
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent denoised_2 = s.New();
  Latent x_2 = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const float lambda_s = HalfLogSnr(s, sigma);
    const float lambda_t = HalfLogSnr(s, sigma_next);
    const float h = lambda_t - lambda_s;
    const float lambda_mid = lambda_s + static_cast<float>(r) * h;
    const float sigma_mid = SigmaOfHalfLogSnr(s, lambda_mid);
    const float alpha_s = sigma * std::exp(lambda_s);
    const float alpha_mid = sigma_mid * std::exp(lambda_mid);
    const float alpha_t = sigma_next * std::exp(lambda_t);

    const AncestralStep first = AncestralStepBetween(std::exp(-lambda_s), std::exp(-lambda_mid), eta);
    const float h_first = -Log(first.down) - lambda_s;
    x_2 = (alpha_mid / alpha_s * std::exp(-h_first)) * x - (alpha_mid * Expm1(-h_first)) * denoised;
    if (noisy) s.AddNoise(x_2, {alpha_mid, static_cast<float>(s_noise), first.up}, sigma, sigma_mid);
    co_await s.Denoise(x_2, sigma_mid, denoised_2);

    const AncestralStep second = AncestralStepBetween(std::exp(-lambda_s), std::exp(-lambda_t), eta);
    const float h_second = -Log(second.down) - lambda_s;
    denoised = static_cast<float>(1 - fac) * denoised + static_cast<float>(fac) * denoised_2;
    x = (alpha_t / alpha_s * std::exp(-h_second)) * x - (alpha_t * Expm1(-h_second)) * denoised;
    if (noisy) s.AddNoise(x, {alpha_t, static_cast<float>(s_noise), second.up}, sigma, sigma_next);
  }
}

}  // namespace latentd
