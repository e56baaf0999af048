// DPM-Solver++ for the reverse SDE, multistep: second and third order from earlier predictions (Katherine
// Crowson, k-diffusion, sample_dpmpp_2m_sde and sample_dpmpp_3m_sde).
#include <utility>

#include "samplers/steps.h"

namespace latentd {
namespace {

/// A step in log-SNR, and what both samplers derive from it.
struct SdeStep {
  SdeStep(const Sampling& s, float sigma, float sigma_next, double eta)
      : h(HalfLogSnr(s, sigma_next) - HalfLogSnr(s, sigma)),
        h_eta(h * static_cast<float>(eta + 1)),
        alpha(sigma_next * std::exp(HalfLogSnr(s, sigma_next))),
        decay(-Expm1(-h_eta)),
        kept(sigma_next / sigma * std::exp(-h * static_cast<float>(eta))),
        deviation(std::sqrt(-Expm1(-2 * h * static_cast<float>(eta)))) {}

  float h;
  float h_eta;
  float alpha;
  /// 1 − e^(−h_eta)
  float decay;
  /// x's share of the next x
  float kept;
  /// of the noise to add, as a share of the next sigma
  float deviation;
};

SamplerTask MultistepSde2(Sampling& s, bool heun) {
  const double eta = s.options.Number("eta", 1);
  const double s_noise = s.options.Number("s_noise", 1);
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent old_denoised = s.New();
  Latent d = s.New();
  float h_last = 0;
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const SdeStep step(s, s.sigmas[i], sigma_next, eta);
    x = step.kept * x + (step.alpha * step.decay) * denoised;
    if (i > 0) {
      const float inverse_r = 1 / (h_last / step.h);
      d = denoised - old_denoised;
      if (heun) {
        x = x + (step.alpha * (step.decay / -step.h_eta + 1) * inverse_r) * d;
      } else {
        x = x + (0.5f * step.alpha * step.decay * inverse_r) * d;
      }
    }
    if (eta > 0 && s_noise > 0) {
      s.AddNoise(x, {sigma_next, step.deviation, static_cast<float>(s_noise)}, s.sigmas[i], sigma_next);
    }
    std::swap(old_denoised, denoised);
    h_last = step.h;
  }
}

bool SolverIsHeun(const Sampling& s, const char* otherwise) {
  const std::string type = s.options.Text("solver_type", otherwise);
  if (type != "heun" && type != "midpoint") {
    throw std::out_of_range("solver_type must be heun or midpoint, got " + type);
  }
  return type == "heun";
}

}  // namespace

SamplerTask DpmPp2MSde(Sampling& s) { return MultistepSde2(s, SolverIsHeun(s, "midpoint")); }

SamplerTask DpmPp2MSdeHeun(Sampling& s) { return MultistepSde2(s, SolverIsHeun(s, "heun")); }

SamplerTask DpmPp3MSde(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const double s_noise = s.options.Number("s_noise", 1);
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent denoised_1 = s.New();
  Latent denoised_2 = s.New();
  Latent d1_0 = s.New();
  Latent d1_1 = s.New();
  Latent d1 = s.New();
  Latent d2 = s.New();
  float h_1 = 0;
  float h_2 = 0;
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const SdeStep step(s, s.sigmas[i], sigma_next, eta);
    x = step.kept * x + (step.alpha * step.decay) * denoised;
    const float phi_2 = Expm1(-step.h_eta) / step.h_eta + 1;
    if (i > 1) {
      const float r0 = h_1 / step.h;
      const float r1 = h_2 / step.h;
      const float phi_3 = phi_2 / step.h_eta - 0.5f;
      d1_0 = Derivative(denoised, denoised_1, r0);
      d1_1 = Derivative(denoised_1, denoised_2, r1);
      d1_1 = d1_0 - d1_1;
      d1 = r0 * d1_1;
      d1 = d1 / (r0 + r1);
      d1 = d1_0 + d1;
      d2 = d1_1 / (r0 + r1);
      x = x + (step.alpha * phi_2) * d1 - (step.alpha * phi_3) * d2;
    } else if (i > 0) {
      d1 = Derivative(denoised, denoised_1, h_1 / step.h);
      x = x + (step.alpha * phi_2) * d1;
    }
    if (eta > 0 && s_noise > 0) {
      s.AddNoise(x, {sigma_next, step.deviation, static_cast<float>(s_noise)}, s.sigmas[i], sigma_next);
    }
    std::swap(denoised_2, denoised_1);
    std::swap(denoised_1, denoised);
    h_2 = h_1;
    h_1 = step.h;
  }
}

}  // namespace latentd
