// Gonzalez et al., "SEEDS: Exponential SDE Solvers for Fast High-Quality Sampling from Diffusion Models",
// 2023: data prediction, two and three stages (comfy/k_diffusion/sampling.py, sample_seeds_2 and
// sample_seeds_3).
#include <stdexcept>
#include <string>

#include "samplers/steps.h"

namespace latentd {
namespace {

/// h·φ1(h) and h·φ2(h) of exponential integrators.
float HPhi1(float h) { return Expm1(h); }
float HPhi2(float h) { return (Expm1(h) - h) / h; }

float F32(double value) { return static_cast<float>(value); }

/// Whether the second stage is weighed by φ2, as in an exponential Heun method, or stands for the whole step.
bool UsesSecondPhi(const std::string& solver_type) {
  if (solver_type == "phi_2") return true;
  if (solver_type == "phi_1") return false;
  throw std::out_of_range("solver_type must be phi_1 or phi_2, got " + solver_type);
}

/// The step's noise as it grows from stage to stage: what was drawn before decays, new noise fills up.
class StageNoise {
 public:
  StageNoise(Sampling& s, double eta, double s_noise)
      : s_(s), inject_(eta > 0 && s_noise > 0), s_noise_(F32(s_noise)), noise_(s.New()), fresh_(s.New()) {}

  /// The first stage, over a share of the step whose log-SNR times eta is `factor` (below 0).
  void Start(float factor, float sigma, float sigma_next) {
    if (!inject_) return;
    s_.Noise(fresh_, sigma, sigma_next);
    noise_ = std::sqrt(-Expm1(2 * factor)) * fresh_;
  }

  void Continue(float factor, float sigma, float sigma_next) {
    if (!inject_) return;
    s_.Noise(fresh_, sigma, sigma_next);
    noise_ = std::exp(factor) * noise_ + std::sqrt(-Expm1(2 * factor)) * fresh_;
  }

  void AddTo(Latent& x, float sigma) {
    if (!inject_) return;
    fresh_ = sigma * noise_;
    x = x + s_noise_ * fresh_;
  }

 private:
  Sampling& s_;
  bool inject_;
  float s_noise_;
  Latent noise_;
  Latent fresh_;
};

SamplerTask TwoStages(Sampling& s, double eta, double s_noise, double r, const char* solver_type) {
  const double fac = 1 / (2 * r);
  const float eta_f = F32(eta);
  const bool second_phi = UsesSecondPhi(s.options.Text("solver_type", solver_type));
  StageNoise noise(s, eta, s_noise);
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
    const float h_eta = h * F32(eta + 1);
    const float lambda_1 = Lerp(lambda_s, lambda_t, F32(r));
    const float sigma_1 = SigmaOfHalfLogSnr(s, lambda_1);
    const float alpha_1 = sigma_1 * std::exp(lambda_1);
    const float alpha_t = sigma_next * std::exp(lambda_t);

    x_2 =
        (sigma_1 / sigma * std::exp(F32(-r) * h * eta_f)) * x - (alpha_1 * HPhi1(F32(-r) * h_eta)) * denoised;
    noise.Start(F32(-r) * h * eta_f, sigma, sigma_1);
    noise.AddTo(x_2, sigma_1);
    co_await s.Denoise(x_2, sigma_1, denoised_2);

    const float kept = sigma_next / sigma * std::exp(-h * eta_f);
    if (second_phi) {
      const float b_2 = HPhi2(-h_eta) / F32(r);
      const float b_1 = HPhi1(-h_eta) - b_2;
      denoised = b_1 * denoised + b_2 * denoised_2;
      x = kept * x - alpha_t * denoised;
    } else {
      denoised = F32(1 - fac) * denoised + F32(fac) * denoised_2;
      x = kept * x - (alpha_t * HPhi1(-h_eta)) * denoised;
    }
    noise.Continue(F32(r - 1) * h * eta_f, sigma_1, sigma_next);
    noise.AddTo(x, sigma_next);
  }
}

}  // namespace

SamplerTask Seeds2(Sampling& s) {
  return TwoStages(s, s.options.Number("eta", 1), s.options.Number("s_noise", 1), s.options.Number("r", 0.5),
                   "phi_1");
}

/// SEEDS-2 whose second stage is the whole step and weighed by φ2: an exponential Heun method
/// (comfy/k_diffusion/sampling.py, sample_exp_heun_2_x0).
SamplerTask ExpHeun2X0(Sampling& s) { return TwoStages(s, 0, 0, 1, "phi_2"); }

SamplerTask ExpHeun2X0Sde(Sampling& s) {
  return TwoStages(s, s.options.Number("eta", 1), s.options.Number("s_noise", 1), 1, "phi_2");
}

SamplerTask Seeds3(Sampling& s) {
  const double eta = s.options.Number("eta", 1);
  const double r_1 = s.options.Number("r_1", 1.0 / 3);
  const double r_2 = s.options.Number("r_2", 2.0 / 3);
  const float eta_f = F32(eta);
  StageNoise noise(s, eta, s.options.Number("s_noise", 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent denoised_2 = s.New();
  Latent denoised_3 = s.New();
  Latent direction = s.New();
  Latent x_2 = s.New();
  Latent x_3 = s.New();
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
    const float h_eta = h * F32(eta + 1);
    const float lambda_1 = Lerp(lambda_s, lambda_t, F32(r_1));
    const float lambda_2 = Lerp(lambda_s, lambda_t, F32(r_2));
    const float sigma_1 = SigmaOfHalfLogSnr(s, lambda_1);
    const float sigma_2 = SigmaOfHalfLogSnr(s, lambda_2);
    const float alpha_1 = sigma_1 * std::exp(lambda_1);
    const float alpha_2 = sigma_2 * std::exp(lambda_2);
    const float alpha_t = sigma_next * std::exp(lambda_t);

    x_2 = (sigma_1 / sigma * std::exp(F32(-r_1) * h * eta_f)) * x -
          (alpha_1 * HPhi1(F32(-r_1) * h_eta)) * denoised;
    noise.Start(F32(-r_1) * h * eta_f, sigma, sigma_1);
    noise.AddTo(x_2, sigma_1);
    co_await s.Denoise(x_2, sigma_1, denoised_2);

    const float a3_2 = F32(r_2 / r_1) * HPhi2(F32(-r_2) * h_eta);
    const float a3_1 = HPhi1(F32(-r_2) * h_eta) - a3_2;
    direction = a3_1 * denoised + a3_2 * denoised_2;
    x_3 = (sigma_2 / sigma * std::exp(F32(-r_2) * h * eta_f)) * x - alpha_2 * direction;
    noise.Continue(F32(r_1 - r_2) * h * eta_f, sigma_1, sigma_2);
    noise.AddTo(x_3, sigma_2);
    co_await s.Denoise(x_3, sigma_2, denoised_3);

    const float b3 = HPhi2(-h_eta) / F32(r_2);
    const float b1 = HPhi1(-h_eta) - b3;
    direction = b1 * denoised + b3 * denoised_3;
    x = (sigma_next / sigma * std::exp(-h * eta_f)) * x - alpha_t * direction;
    noise.Continue(F32(r_2 - 1) * h * eta_f, sigma_2, sigma_next);
    noise.AddTo(x, sigma_next);
  }
}

}  // namespace latentd
