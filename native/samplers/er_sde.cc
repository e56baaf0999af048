// Cui et al., "Elucidating the Solution Space of Extended Reverse-Time SDE for Diffusion Models", 2023:
// ER-SDE-Solver-3 for data prediction (comfy/k_diffusion/sampling.py, sample_er_sde).
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "samplers/steps.h"
#include "schedule/torch_sum.h"

namespace latentd {
namespace {

constexpr size_t kNoiseIntegrationPoints = 200;

/// φ of the paper: how much noise the reverse process keeps.
class NoiseScaler {
 public:
  /// SamplerER_SDE's solver_type; without noise the reverse-time scaler of eta 0 makes an ODE.
  NoiseScaler(const std::string& type, double eta) : extended_(type == "ER-SDE"), exponent_(eta + 1) {
    if (!extended_ && type != "Reverse-time SDE" && type != "ODE") {
      throw std::out_of_range("solver_type must be ER-SDE, Reverse-time SDE or ODE, got " + type);
    }
    if (type == "ODE") exponent_ = 1;
  }

  float operator()(float x) const { return Scaled(x, Pow(x, extended_ ? kExponent : exponent_)); }

  /// Of many at once, which torch raises otherwise.
  void operator()(std::span<const float> of, std::span<float> into) const {
    std::copy(of.begin(), of.end(), into.begin());
    Pow(into, extended_ ? kExponent : exponent_);
    for (size_t i = 0; i < into.size(); ++i) into[i] = Scaled(of[i], into[i]);
  }

 private:
  static constexpr double kExponent = 0.3;

  float Scaled(float x, float power) const { return extended_ ? x * (std::exp(power) + 10.0f) : power; }

  bool extended_;
  double exponent_;
};

}  // namespace

SamplerTask ErSde(Sampling& s) {
  const std::string type = s.options.Text("solver_type", "ER-SDE");
  const double eta = s.options.Number("eta", 1);
  const bool deterministic = type == "ODE" || (type == "Reverse-time SDE" && eta == 0);
  const double s_noise = deterministic ? 0 : s.options.Number("s_noise", 1);
  const int max_stage = s.options.Whole("max_stage", 3, 1, 3);
  const NoiseScaler scaler(type, eta);
  std::vector<float> lambdas;
  for (const float sigma : s.sigmas) lambdas.push_back(std::exp(-HalfLogSnr(s, sigma)));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent old_denoised = s.New();
  Latent denoised_d = s.New();
  Latent old_denoised_d = s.New();
  Latent denoised_u = s.New();
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const int stage = std::min(max_stage, i + 1);
    const float lambda_s = lambdas[i];
    const float lambda_t = lambdas[i + 1];
    const float alpha_s = s.sigmas[i] / lambda_s;
    const float alpha_t = sigma_next / lambda_t;
    const float r_alpha = alpha_t / alpha_s;
    const float r = scaler(lambda_t) / scaler(lambda_s);
    // Stage 1: Euler
    x = (r_alpha * r) * x + (alpha_t * (1 - r)) * denoised;
    if (stage >= 2) {
      const float dt = lambda_t - lambda_s;
      const float step = -dt / static_cast<float>(kNoiseIntegrationPoints);
      std::array<float, kNoiseIntegrationPoints> at;
      std::array<float, kNoiseIntegrationPoints> scaled;
      std::array<float, kNoiseIntegrationPoints> values;
      for (size_t k = 0; k < at.size(); ++k) at[k] = lambda_t + static_cast<float>(k) * step;
      scaler(at, scaled);
      for (size_t k = 0; k < at.size(); ++k) values[k] = 1 / scaled[k];
      const float integral_s = TorchSum(values) * step;
      denoised_d = Derivative(denoised, old_denoised, lambda_s - lambdas[i - 1]);
      x = x + (alpha_t * (dt + integral_s * scaler(lambda_t))) * denoised_d;
      if (stage >= 3) {
        for (size_t k = 0; k < at.size(); ++k) values[k] = (at[k] - lambda_s) / scaled[k];
        const float integral_u = TorchSum(values) * step;
        denoised_u = Derivative(denoised_d, old_denoised_d, (lambda_s - lambdas[i - 2]) / 2);
        x = x + (alpha_t * (dt * dt / 2 + integral_u * scaler(lambda_t))) * denoised_u;
      }
      std::swap(old_denoised_d, denoised_d);
    }
    if (s_noise > 0) {
      const float deviation = std::sqrt(lambda_t * lambda_t - lambda_s * lambda_s * (r * r));
      const float known = std::isnan(deviation) ? 0 : deviation;
      s.AddNoise(x, {alpha_t, static_cast<float>(s_noise), known}, s.sigmas[i], sigma_next);
    }
    std::swap(old_denoised, denoised);
  }
}

}  // namespace latentd
