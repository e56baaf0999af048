// DPM-Solver++(2M): second order from the last step's prediction.
// Lu et al., "DPM-Solver++", 2022, algorithm 2.
#include <utility>

#include "samplers/steps.h"

namespace latentd {

/// k-diffusion, sample_dpmpp_2m
SamplerTask DpmPp2M(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent old_denoised = s.New();
  Latent denoised_d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    const float t = HalfLogSnr(s.sigmas[i]);
    const float t_next = HalfLogSnr(s.sigmas[i + 1]);
    const float h = t_next - t;
    const float ratio = SigmaOfHalfLogSnr(t_next) / SigmaOfHalfLogSnr(t);
    if (i == 0 || s.sigmas[i + 1] == 0) {
      x = ratio * x - Expm1(-h) * denoised;
    } else {
      const float r = (t - HalfLogSnr(s.sigmas[i - 1])) / h;
      const float c = 1 / (2 * r);
      denoised_d = (1 + c) * denoised - c * old_denoised;
      x = ratio * x - Expm1(-h) * denoised_d;
    }
    std::swap(old_denoised, denoised);
  }
}

/// The same with CFG++ (comfy/k_diffusion/sampling.py, sample_dpmpp_2m_cfg_pp): what remains of x follows the
/// unconditional prediction.
SamplerTask DpmPp2MCfgPp(Sampling& s) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent uncond_denoised = s.New();
  Latent old_uncond_denoised = s.New();
  Latent d = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    co_await s.Denoise(x, s.sigmas[i], denoised, uncond_denoised);
    s.Report(i, denoised);
    const float t = HalfLogSnr(s.sigmas[i]);
    const float h = HalfLogSnr(s.sigmas[i + 1]) - t;
    const float kept = std::exp(-h);
    if (i == 0 || s.sigmas[i + 1] == 0) {
      x = denoised - kept * uncond_denoised + kept * x;
    } else {
      const float r = (t - HalfLogSnr(s.sigmas[i - 1])) / h;
      d = denoised - old_uncond_denoised;
      d = -kept * uncond_denoised - (Expm1(-h) * (1 / (2 * r))) * d;
      x = denoised + d + kept * x;
    }
    std::swap(old_uncond_denoised, uncond_denoised);
  }
}

}  // namespace latentd
