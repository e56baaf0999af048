// Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models", 2023:
// multistep, data prediction, of order up to 3 (comfy/extra_samplers/uni_pc.py). States are in the
// variance-preserving scale.
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "samplers/linear_system.h"
#include "samplers/steps.h"

namespace latentd {
namespace {

/// ComfyUI's SigmaConvert: alpha, its logarithm, the standard deviation and the half-log-SNR at a sigma.
struct VpPoint {
  explicit VpPoint(float sigma)
      : sigma(sigma),
        log_alpha(0.5f * Log(1 / (sigma * sigma + 1))),
        alpha(std::exp(log_alpha)),
        deviation(std::sqrt(1.0f - std::exp(2.0f * log_alpha))),
        lambda(log_alpha - 0.5f * Log(1.0f - std::exp(2.0f * log_alpha))) {}

  float sigma;
  float log_alpha;
  float alpha;
  float deviation;
  float lambda;
};

/// B(h) of the paper and the two systems that follow from it: equation 5.
struct BhSystem {
  BhSystem(const std::vector<float>& rks, float hh, bool bh2) : order(rks.size()), h_phi_1(Expm1(hh)) {
    b_h = bh2 ? Expm1(hh) : hh;
    float h_phi_k = h_phi_1 / hh - 1;
    double factorial = 1;
    for (size_t i = 1; i <= order; ++i) {
      for (const float rk : rks) matrix.push_back(Pow(rk, static_cast<double>(i - 1)));
      b.push_back(h_phi_k * static_cast<float>(factorial) / b_h);
      factorial *= static_cast<double>(i + 1);
      h_phi_k = h_phi_k / hh - static_cast<float>(1 / factorial);
    }
  }

  std::vector<float> Corrector() const {
    // Order 1 is simplified.
    if (order == 1) return {0.5f};
    return SolveLinearSystem(matrix, b);
  }

  std::vector<float> Predictor() const {
    if (order == 1) return {};
    // Order 2 is simplified.
    if (order == 2) return {0.5f};
    std::vector<float> corner;
    for (size_t i = 0; i + 1 < order; ++i) {
      for (size_t j = 0; j + 1 < order; ++j) corner.push_back(matrix[i * order + j]);
    }
    return SolveLinearSystem(corner, {b.begin(), b.end() - 1});
  }

  size_t order;
  float h_phi_1;
  float b_h = 0;
  std::vector<float> matrix;
  std::vector<float> b;
};

SamplerTask UnifiedPredictorCorrector(Sampling& s, bool bh2) {
  if (s.steps() < 1) co_return;
  std::vector<float> sigmas = s.sigmas;
  // The end is never reached: no step has an infinite log-SNR.
  if (sigmas.back() == 0) sigmas.back() = 0.001f;
  std::vector<VpPoint> points(sigmas.begin(), sigmas.end());
  const int steps = s.steps();
  const int max_order = std::min(3, steps - 1);

  Latent& x = s.x;
  Latent scaled = s.New();
  Latent x_t = s.New();
  Latent base = s.New();
  Latent residual = s.New();
  Latent denoised = s.New();
  Latent eps = s.New();
  // Data predictions at the last points, the newest first, and their differences to the newest.
  std::array<Latent, 3> known = {s.New(), s.New(), s.New()};
  std::array<Latent, 3> difference = {s.New(), s.New(), s.New()};

  // residual = Σ rho · difference, from the second difference on
  std::array<Term, 3> terms;
  const auto combine = [&](std::span<const float> rhos) {
    for (size_t k = 0; k < rhos.size(); ++k) terms[k] = rhos[k] * difference[k + 1];
    residual.CombineFused(std::span(terms).first(rhos.size()));
  };

  x = x / std::sqrt(1.0f + sigmas[0] * sigmas[0]);
  for (int i = 0; i < steps; ++i) {
    // The last step is taken together with the one before it, which has no evaluation of its own.
    const int last = i == steps - 1 && i > 0 ? i + 1 : i;
    for (int at = i; at <= last; ++at) {
      const VpPoint& t = points[at];
      const bool first = at == 0;
      const bool correct = at < steps && !first;
      std::vector<float> rho_c;
      float scale = 0;
      int order = 0;
      if (!first) {
        order = at < max_order ? at : std::min(max_order, steps + 1 - at);
        const VpPoint& from = points[at - 1];
        const float h = t.lambda - from.lambda;
        std::vector<float> rks;
        for (int k = 1; k < order; ++k) rks.push_back((points[at - 1 - k].lambda - from.lambda) / h);
        for (int k = 1; k < order; ++k) difference[k] = Derivative(known[k], known[0], rks[k - 1]);
        rks.push_back(1.0f);
        const BhSystem system(rks, -h, bh2);
        scale = t.alpha * system.b_h;
        rho_c = system.Corrector();
        const std::vector<float> rho_p = system.Predictor();
        base = (t.deviation / from.deviation) * x - (t.alpha * system.h_phi_1) * known[0];
        x_t = base;
        if (!rho_p.empty()) {
          combine(rho_p);
          x_t = base - scale * residual;
        }
      } else {
        x_t = x;
      }
      if (!first && !correct) {
        x = x_t;
        continue;
      }
      // The model sees the variance-exploding scale.
      scaled = std::sqrt(t.sigma * t.sigma + 1.0f) * x_t;
      co_await s.Denoise(scaled, t.sigma, denoised);
      eps = Derivative(scaled, denoised, t.sigma);
      std::rotate(known.begin(), known.end() - 1, known.end());
      known[0] = x_t - t.deviation * eps;
      known[0] = known[0] / t.alpha;
      if (first) continue;
      difference[0] = known[0] - known[1];
      if (order == 1) {
        residual = rho_c[0] * difference[0];
      } else {
        combine(std::span(rho_c).first(static_cast<size_t>(order) - 1));
        residual = residual + rho_c.back() * difference[0];
      }
      x = base - scale * residual;
    }
    s.Report(i, known[0]);
  }
  x = x / points.back().alpha;
}

}  // namespace

SamplerTask UniPc(Sampling& s) { return UnifiedPredictorCorrector(s, false); }

SamplerTask UniPcBh2(Sampling& s) { return UnifiedPredictorCorrector(s, true); }

}  // namespace latentd
