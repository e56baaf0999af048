// Xue et al., "SA-Solver: Stochastic Adams Solver for Fast Sampling of Diffusion Models", 2023, as predictor
// and corrector (comfy/k_diffusion/sampling.py, sample_sa_solver, and comfy/k_diffusion/sa_solver.py).
#include <span>
#include <vector>

#include "samplers/linear_system.h"
#include "samplers/steps.h"

namespace latentd {
namespace {

/// (1 + τ²) ∫ exp((1 + τ²)(λ − t)) λ^p dλ from s to t, for p = 0 … order − 1, by partial integration.
std::vector<float> ExponentialCoefficients(float s, float t, int order, double tau) {
  const double tau_mul = 1 + tau * tau;
  const float decay = std::exp(static_cast<float>(-tau_mul) * (t - s));
  std::vector<float> products;
  for (int p = 0; p < order; ++p) {
    const float power = static_cast<float>(p);
    // With an exponent for each, torch's pow doesn't multiply.
    products.push_back(std::pow(t, power) - std::pow(s, power) * decay);
  }
  std::vector<float> coefficients;
  for (int p = 0; p < order; ++p) {
    float sum = 0;
    for (int q = 0; q <= p; ++q) {
      // (−1)^(p−q) · p!/q! / (1 + τ²)^(p−q), through its logarithm
      float logarithm = std::lgamma(static_cast<float>(p + 1)) - std::lgamma(static_cast<float>(q + 1));
      if (tau > 0) logarithm -= static_cast<float>(p - q) * static_cast<float>(std::log(tau_mul));
      const float sign = (p - q) % 2 == 0 ? 1.0f : -1.0f;
      sum = std::fma(std::exp(logarithm) * sign, products[q], sum);
    }
    coefficients.push_back(sum);
  }
  return coefficients;
}

/// The shares of the predictions at `lambdas` (oldest first) in the step from lambda_s to lambda_t: equations
/// 15 and 18.
std::vector<float> AdamsCoefficients(float sigma_next, std::span<const float> lambdas, float lambda_s,
                                     float lambda_t, double tau, bool simple_order_2, bool corrector) {
  const size_t order = lambdas.size();
  const float alpha_t = sigma_next * std::exp(lambda_t);
  if (simple_order_2 && order == 2) {
    // Appendix D of the paper
    const float tau_mul = static_cast<float>(1 + tau * tau);
    const float half = static_cast<float>(0.5 * (1 + tau * tau));
    const float h = lambda_t - lambda_s;
    const float whole = alpha_t * -Expm1(-h * tau_mul);
    if (corrector) {
      const float b_1 = alpha_t * (half * h);
      return {whole - b_1, b_1};
    }
    const float b_2 = alpha_t * (half * (h * h)) / (lambdas[0] - lambda_s);
    return {b_2, whole - b_2};
  }
  std::vector<float> vandermonde;
  for (size_t p = 0; p < order; ++p) {
    for (const float lambda : lambdas) {
      double power = 1;
      for (size_t k = 0; k < p; ++k) power *= lambda;
      vandermonde.push_back(static_cast<float>(power));
    }
  }
  std::vector<float> b = SolveLinearSystem(
      vandermonde, ExponentialCoefficients(lambda_s, lambda_t, static_cast<int>(order), tau));
  for (float& value : b) value *= alpha_t;
  return b;
}

SamplerTask StochasticAdams(Sampling& s, bool pece) {
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  const int predictor_order = s.options.Whole("predictor_order", 3, 1, 6);
  const int corrector_order = s.options.Whole("corrector_order", 4, 0, 6);
  const bool simple_order_2 = s.options.Number("simple_order_2", 0) != 0;
  const double eta = s.options.Number("eta", 1);
  const double start_sigma = s.options.Number("sde_start_sigma", s.stochastic.start);
  const double end_sigma = s.options.Number("sde_end_sigma", s.stochastic.end);
  const auto tau_at = [=](float sigma) {
    return eta > 0 && start_sigma >= sigma && sigma >= end_sigma ? eta : 0.0;
  };
  const bool lower_order_to_end = s.sigmas.back() == 0;
  const int kept = std::max(predictor_order, corrector_order);
  std::vector<float> lambdas;
  for (const float sigma : s.sigmas) lambdas.push_back(HalfLogSnr(s, sigma));

  Latent& x = s.x;
  Latent x_pred = s.New();
  Latent noise = s.New();
  Latent residual = s.New();
  // Predictions, the newest first.
  std::vector<Latent> predictions;
  for (int k = 0; k < kept; ++k) predictions.push_back(s.New());
  std::vector<Term> terms(static_cast<size_t>(kept) + 1);
  const auto combine = [&](float x_share, std::span<const float> b, Latent& into) {
    // b counts from the oldest; the sum over predictions is made first, as tensordot does.
    for (size_t k = 0; k < b.size(); ++k) terms[k] = b[k] * predictions[b.size() - 1 - k];
    residual.CombineFused(std::span(terms).first(b.size()));
    into = x_share * x + residual;
  };

  float h = 0;
  double tau = 0;
  x_pred = x;
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    std::rotate(predictions.begin(), predictions.end() - 1, predictions.end());
    co_await s.Denoise(x_pred, sigma, predictions[0]);
    s.Report(i, predictions[0]);
    const int known = std::min(i + 1, kept);
    int predictor_used = std::min(predictor_order, known);
    int corrector_used = i == 0 || (sigma_next == 0 && !pece) ? 0 : std::min(corrector_order, known);
    if (lower_order_to_end) {
      predictor_used = std::min(predictor_used, s.steps() - 1 - i);
      corrector_used = std::min(corrector_used, s.steps() - i);
    }

    if (corrector_used == 0) {
      x = x_pred;
    } else {
      const auto used = std::span(lambdas).subspan(static_cast<size_t>(i - corrector_used + 1),
                                                   static_cast<size_t>(corrector_used));
      const std::vector<float> b =
          AdamsCoefficients(sigma, used, lambdas[i - 1], lambdas[i], tau, simple_order_2, true);
      combine(sigma / s.sigmas[i - 1] * std::exp(static_cast<float>(-(tau * tau)) * h), b, x);
      // The noise of the predictor's last step
      if (tau > 0 && s_noise > 0) x = x + noise;
      if (pece) co_await s.Denoise(x, sigma, predictions[0]);
    }

    if (sigma_next == 0) {
      x_pred = predictions[0];
      continue;
    }
    tau = tau_at(sigma_next);
    const auto used = std::span(lambdas).subspan(static_cast<size_t>(i - predictor_used + 1),
                                                 static_cast<size_t>(predictor_used));
    const std::vector<float> b =
        AdamsCoefficients(sigma_next, used, lambdas[i], lambdas[i + 1], tau, simple_order_2, false);
    h = lambdas[i + 1] - lambdas[i];
    combine(sigma_next / sigma * std::exp(static_cast<float>(-(tau * tau)) * h), b, x_pred);
    if (tau > 0 && s_noise > 0) {
      const float deviation = std::sqrt(-Expm1(static_cast<float>(-2 * tau * tau) * h));
      s.Noise(noise, sigma, sigma_next);
      for (const float factor : {sigma_next, deviation, s_noise}) noise = factor * noise;
      x_pred = x_pred + noise;
    }
  }
  x = x_pred;
}

}  // namespace

SamplerTask SaSolver(Sampling& s) { return StochasticAdams(s, s.options.Number("use_pece", 0) != 0); }

SamplerTask SaSolverPece(Sampling& s) { return StochasticAdams(s, true); }

}  // namespace latentd
