// DEIS: an exponential integrator with a polynomial through the last derivatives.
// Zhang and Chen, "Fast Sampling of Diffusion Models with Exponential Integrator", 2022, in the "tab" form of
// github.com/zju-pi/diff-sampler, solver_utils.py (comfy/k_diffusion/deis.py).
#include <array>

#include "samplers/steps.h"
#include "schedule/linspace.h"
#include "schedule/torch_sum.h"

namespace latentd {
namespace {

constexpr int kOrder = 3;
constexpr size_t kIntegrationPoints = 10000;

/// The variance-preserving SDE between whose times and sigmas DEIS converts, as if sigmas ran from 0.002
/// to 80.
struct VpSde {
  VpSde() {
    constexpr double kEpsilon = 1e-3;
    const float low = std::log(0.002f * 0.002f + 1) / static_cast<float>(kEpsilon);
    // The largest sigma is an integer there, so from here on the constants are doubles (deis.py, edm2t); they
    // meet tensors as floats.
    const double high = std::log(80.0 * 80.0 + 1);
    const double slope = 2 * (low - high) / (kEpsilon - 1);
    const double start = high - 0.5 * slope;
    beta_d = static_cast<float>(slope);
    beta_min = static_cast<float>(start);
    beta_min_squared = static_cast<float>(start * start);
    range = static_cast<float>((slope + start) - start);
  }

  float Time(float sigma) const {
    return (std::sqrt(beta_min_squared + 2 * beta_d * Log(sigma * sigma + 1)) - beta_min) / beta_d;
  }

  /// −½ · d log(alpha)/dt / √(alpha (1 − alpha))
  float Integrand(float t) const {
    const float alpha = std::exp(-0.5f * (t * t) * range - t * beta_min);
    // ComfyUI has torch differentiate, by way of alpha.
    const float outer = 1 / alpha * alpha;
    const float slope = outer * range * -0.5f * (2 * t) - outer * beta_min;
    return -0.5f * slope / std::sqrt(alpha * (1 - alpha));
  }

  float beta_d;
  float beta_min;
  float beta_min_squared;
  float range;
};

/// The share of each of the last `order` derivatives in the step from time i to i + 1, the newest first.
std::array<float, kOrder> Coefficients(const VpSde& sde, const std::vector<float>& times, int i, int order) {
  const std::vector<float> taus = Linspace(times[i], times[i + 1], kIntegrationPoints);
  const float dtau = (times[i + 1] - times[i]) / static_cast<float>(kIntegrationPoints);
  std::vector<float> integrand;
  for (const float tau : taus) integrand.push_back(sde.Integrand(tau));
  std::vector<float> values(taus.size());
  std::array<float, kOrder> coefficients{};
  for (int j = 0; j < order; ++j) {
    for (size_t at = 0; at < taus.size(); ++at) {
      float basis = 1;
      for (int k = 0; k < order; ++k) {
        if (k != j) basis *= (taus[at] - times[i - k]) / (times[i - j] - times[i - k]);
      }
      values[at] = integrand[at] * basis;
    }
    coefficients[j] = TorchSum(values) * dtau;
  }
  return coefficients;
}

}  // namespace

SamplerTask Deis(Sampling& s) {
  const VpSde sde;
  std::vector<float> times;
  for (const float sigma : s.sigmas) times.push_back(sde.Time(sigma));
  Latent& x = s.x;
  Latent denoised = s.New();
  std::array<Latent, kOrder> d = {s.New(), s.New(), s.New()};
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    std::rotate(d.begin(), d.end() - 1, d.end());
    d[0] = Derivative(x, denoised, sigma);
    const int order = sigma_next <= 0 ? 1 : std::min(kOrder, i + 1);
    if (order == 1) {
      x = x + (sigma_next - sigma) * d[0];
      continue;
    }
    const std::array<float, kOrder> c = Coefficients(sde, times, i, order);
    if (order == 2) {
      x = x + c[0] * d[0] + c[1] * d[1];
    } else {
      x = x + c[0] * d[0] + c[1] * d[1] + c[2] * d[2];
    }
  }
}

}  // namespace latentd
