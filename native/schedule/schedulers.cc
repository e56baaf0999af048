#include "schedule/schedulers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "schedule/beta_distribution.h"
#include "schedule/linspace.h"
#include "schedule/torch_float.h"

namespace latentd {
namespace {

bool NearZero(float sigma) { return std::abs(sigma) <= 0.00001f; }

/// comfy/samplers.py, simple_scheduler
Sigmas Simple(const NoiseLevels& levels, int steps) {
  const auto table = levels.sigmas();
  const double stride = static_cast<double>(table.size()) / steps;
  Sigmas sigmas;
  for (int i = 0; i < steps; ++i) sigmas.push_back(table[table.size() - 1 - static_cast<size_t>(i * stride)]);
  sigmas.push_back(0);
  return sigmas;
}

/// comfy/samplers.py, ddim_scheduler: may have a step more or less than asked for.
Sigmas DdimUniform(const NoiseLevels& levels, int steps) {
  const auto table = levels.sigmas();
  Sigmas sigmas;
  if (NearZero(table[1])) {
    steps += 1;
  } else {
    sigmas.push_back(0);
  }
  const size_t stride = std::max<size_t>(table.size() / static_cast<size_t>(steps), 1);
  for (size_t i = 1; i < table.size(); i += stride) sigmas.push_back(table[i]);
  std::reverse(sigmas.begin(), sigmas.end());
  return sigmas;
}

Sigmas SigmasAt(const NoiseLevels& levels, std::span<const float> timesteps, bool append_zero) {
  Sigmas sigmas;
  for (const float timestep : timesteps) sigmas.push_back(levels.Sigma(timestep));
  if (append_zero) sigmas.push_back(0);
  return sigmas;
}

/// comfy/samplers.py, normal_scheduler
Sigmas Normal(const NoiseLevels& levels, int steps) {
  const float start = levels.Timestep(levels.sigma_max());
  const float end = levels.Timestep(levels.sigma_min());
  const bool ends_in_zero = NearZero(levels.Sigma(end));
  if (ends_in_zero) steps += 1;
  return SigmasAt(levels, Linspace(start, end, static_cast<size_t>(steps)), !ends_in_zero);
}

/// comfy/samplers.py, normal_scheduler with sgm
Sigmas SgmUniform(const NoiseLevels& levels, int steps) {
  const float start = levels.Timestep(levels.sigma_max());
  const float end = levels.Timestep(levels.sigma_min());
  std::vector<float> timesteps = Linspace(start, end, static_cast<size_t>(steps) + 1);
  timesteps.pop_back();
  return SigmasAt(levels, timesteps, true);
}

Sigmas Karras(const NoiseLevels& levels, int steps) {
  return KarrasSigmas(steps, levels.sigma_min(), levels.sigma_max(), 7.0);
}

Sigmas Exponential(const NoiseLevels& levels, int steps) {
  return ExponentialSigmas(steps, levels.sigma_min(), levels.sigma_max());
}

Sigmas Beta(const NoiseLevels& levels, int steps) { return BetaSigmas(levels, steps, 0.6, 0.6); }

/// comfy/samplers.py, linear_quadratic_schedule, after Genmo's Mochi: half the steps linear down to 1 −
/// 0.025, then quadratic.
Sigmas LinearQuadratic(const NoiseLevels& levels, int steps) {
  constexpr double kThreshold = 0.025;
  std::vector<double> shares;
  if (steps == 1) {
    shares = {0.0, 1.0};
  } else {
    const int linear_steps = steps / 2;
    const int quadratic_steps = steps - linear_steps;
    const double difference = linear_steps - kThreshold * steps;
    const double quadratic =
        difference / (static_cast<double>(linear_steps) * quadratic_steps * quadratic_steps);
    const double linear =
        kThreshold / linear_steps - 2 * difference / (static_cast<double>(quadratic_steps) * quadratic_steps);
    const double constant = quadratic * (static_cast<double>(linear_steps) * linear_steps);
    for (int i = 0; i < linear_steps; ++i) shares.push_back(i * kThreshold / linear_steps);
    for (int i = linear_steps; i < steps; ++i) {
      shares.push_back(quadratic * (static_cast<double>(i) * i) + linear * i + constant);
    }
    shares.push_back(1.0);
  }
  Sigmas sigmas;
  for (const double share : shares) sigmas.push_back(static_cast<float>(1.0 - share) * levels.sigma_max());
  return sigmas;
}

/// comfy/samplers.py, kl_optimal_scheduler, after Sabour et al., "Align Your Steps", 2024. One step divides 0
/// by 0, as there.
Sigmas KlOptimal(const NoiseLevels& levels, int steps) {
  const float from = static_cast<float>(std::atan(static_cast<double>(levels.sigma_min())));
  const float to = static_cast<float>(std::atan(static_cast<double>(levels.sigma_max())));
  Sigmas sigmas;
  for (int i = 0; i < steps; ++i) {
    const float share = static_cast<float>(i) / static_cast<float>(steps - 1);
    sigmas.push_back(Tan(share * from + (1 - share) * to));
  }
  sigmas.push_back(0);
  return sigmas;
}

constexpr std::array<Scheduler, 9> kSchedulers = {{
    {"simple", Simple},
    {"sgm_uniform", SgmUniform},
    {"karras", Karras},
    {"exponential", Exponential},
    {"ddim_uniform", DdimUniform},
    {"beta", Beta},
    {"normal", Normal},
    {"linear_quadratic", LinearQuadratic},
    {"kl_optimal", KlOptimal},
}};

}  // namespace

std::span<const Scheduler> Schedulers() { return kSchedulers; }

// The five below are of k-diffusion (Katherine Crowson); ramps are float32 tensors, scalars Python's doubles
// rounded to float32 where they meet a tensor.

Sigmas KarrasSigmas(int steps, double sigma_min, double sigma_max, double rho) {
  const double min_inverse = std::pow(sigma_min, 1 / rho);
  const double max_inverse = std::pow(sigma_max, 1 / rho);
  Sigmas sigmas = Linspace(0.0f, 1.0f, static_cast<size_t>(steps));
  for (float& sigma : sigmas) {
    sigma = static_cast<float>(max_inverse) + sigma * static_cast<float>(min_inverse - max_inverse);
  }
  Pow(sigmas, rho);
  sigmas.push_back(0);
  return sigmas;
}

Sigmas ExponentialSigmas(int steps, double sigma_min, double sigma_max) {
  Sigmas sigmas = Linspace(static_cast<float>(std::log(sigma_max)), static_cast<float>(std::log(sigma_min)),
                           static_cast<size_t>(steps));
  for (float& sigma : sigmas) sigma = std::exp(sigma);
  sigmas.push_back(0);
  return sigmas;
}

Sigmas PolyexponentialSigmas(int steps, double sigma_min, double sigma_max, double rho) {
  const float range = static_cast<float>(std::log(sigma_max) - std::log(sigma_min));
  const float low = static_cast<float>(std::log(sigma_min));
  Sigmas sigmas = Linspace(1.0f, 0.0f, static_cast<size_t>(steps));
  Pow(sigmas, rho);
  for (float& sigma : sigmas) sigma = std::exp(sigma * range + low);
  sigmas.push_back(0);
  return sigmas;
}

Sigmas VpSigmas(int steps, double beta_d, double beta_min, double eps_s) {
  Sigmas sigmas = Linspace(1.0f, static_cast<float>(eps_s), static_cast<size_t>(steps));
  for (float& sigma : sigmas) {
    const float t = sigma;
    const float exponent = static_cast<float>(beta_d) * (t * t) / 2.0f + static_cast<float>(beta_min) * t;
    sigma = std::sqrt(Expm1(exponent));
  }
  sigmas.push_back(0);
  return sigmas;
}

Sigmas LaplaceSigmas(int steps, double sigma_min, double sigma_max, double mu, double beta) {
  Sigmas sigmas = Linspace(0.0f, 1.0f, static_cast<size_t>(steps));
  for (float& sigma : sigmas) {
    const float offset = 0.5f - sigma;
    const float sign = offset > 0 ? 1.0f : (offset < 0 ? -1.0f : 0.0f);
    const float logarithm = Log(1 - 2 * std::abs(offset) + 1e-5f);
    const float exponent = static_cast<float>(mu) - static_cast<float>(beta) * sign * logarithm;
    sigma = std::clamp(std::exp(exponent), static_cast<float>(sigma_min), static_cast<float>(sigma_max));
  }
  return sigmas;
}

Sigmas BetaSigmas(const NoiseLevels& levels, int steps, double alpha, double beta) {
  const auto table = levels.sigmas();
  const double last_index = static_cast<double>(table.size() - 1);
  const double step = 1.0 / steps;
  Sigmas sigmas;
  double previous = -1;
  for (int i = 0; i < steps; ++i) {
    const double quantile = BetaQuantile(1 - i * step, alpha, beta);
    const double index = std::nearbyint(quantile * last_index);
    if (index != previous) sigmas.push_back(table[static_cast<size_t>(index)]);
    previous = index;
  }
  sigmas.push_back(0);
  return sigmas;
}

Sigmas KSamplerSigmas(const NoiseLevels& levels, const Scheduler& scheduler, int steps, double denoise,
                      bool discard_penultimate) {
  // comfy/samplers.py, KSampler.set_steps and calculate_sigmas
  if (denoise <= 0.0) return {};
  const bool whole = denoise > 0.9999;
  const int made = whole ? steps : static_cast<int>(steps / denoise);
  Sigmas sigmas = scheduler.sigmas(levels, discard_penultimate ? made + 1 : made);
  if (discard_penultimate && sigmas.size() >= 2) sigmas.erase(sigmas.end() - 2);
  const size_t kept = static_cast<size_t>(steps) + 1;
  if (!whole && sigmas.size() > kept)
    sigmas.erase(sigmas.begin(), sigmas.end() - static_cast<ptrdiff_t>(kept));
  return sigmas;
}

}  // namespace latentd
