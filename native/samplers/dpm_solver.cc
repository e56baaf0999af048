// DPM-Solver of orders 1 to 3, with steps of fixed size and with steps chosen by an error estimate.
// Lu et al., "DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps",
// 2022, in the form of k-diffusion's DPMSolver. Time is t = −log(sigma).
#include <array>
#include <stdexcept>

#include "samplers/steps.h"
#include "schedule/linspace.h"

namespace latentd {
namespace {

constexpr float (*Time)(float) = HalfLogSnr;
constexpr float (*Sigma)(float) = SigmaOfHalfLogSnr;

struct TimeRange {
  float start;
  float end;
};

/// From the first sigma to the last above 0 (comfy/samplers.py, ksampler).
TimeRange TimeRangeOf(const std::vector<float>& sigmas) {
  const float sigma_min = sigmas.back() == 0 ? sigmas[sigmas.size() - 2] : sigmas.back();
  if (sigma_min <= 0 || sigmas[0] <= 0) throw std::out_of_range("DPM-Solver needs sigmas above 0");
  return {Time(sigmas[0]), Time(sigma_min)};
}

/// An ancestral step in time: where the solver goes, and the noise that brings it back.
AncestralStep AncestralTimes(float t, float t_next, float t_end, double eta) {
  if (eta == 0) return {t_next, 0};
  const AncestralStep step = AncestralStepBetween(Sigma(t), Sigma(t_next), eta);
  const float t_down = std::min(t_end, Time(step.down));
  const float sigma = Sigma(t_next);
  const float sigma_down = Sigma(t_down);
  return {t_down, std::sqrt(sigma * sigma - sigma_down * sigma_down)};
}

/// ε-predictions within one step: at its start, and how far it has changed at r1 of it and at r2.
struct Predictions {
  Latent eps;
  Latent change_r1;
  Latent change_r2;
};

/// Equation 3.7
void FirstOrderStep(const Latent& x, float t, float t_next, const Predictions& p, Latent& into) {
  const float h = t_next - t;
  into = x - (Sigma(t_next) * Expm1(h)) * p.eps;
}

/// Algorithm 1, line 6
void SecondOrderStep(const Latent& x, float t, float t_next, float r1, const Predictions& p, Latent& into) {
  const float h = t_next - t;
  const float correction = Sigma(t_next) / (2 * r1) * Expm1(h);
  into = x - (Sigma(t_next) * Expm1(h)) * p.eps - correction * p.change_r1;
}

/// Algorithm 2, line 9
void ThirdOrderStep(const Latent& x, float t, float t_next, float r2, const Predictions& p, Latent& into) {
  const float h = t_next - t;
  const float correction = Sigma(t_next) / r2 * (Expm1(h) / h - 1);
  into = x - (Sigma(t_next) * Expm1(h)) * p.eps - correction * p.change_r2;
}

/// The point at which r1's prediction is taken: algorithm 1, line 4
void FirstMidpoint(const Latent& x, float t, float h, float r1, const Predictions& p, Latent& into) {
  into = x - (Sigma(t + r1 * h) * Expm1(r1 * h)) * p.eps;
}

/// The point at which r2's prediction is taken: algorithm 2, line 7
void SecondMidpoint(const Latent& x, float t, float h, const Predictions& p, Latent& into) {
  constexpr float r2 = 2.0f / 3;
  constexpr float ratio = 2;
  const float sigma = Sigma(t + r2 * h);
  const float correction = sigma * ratio * (Expm1(r2 * h) / (r2 * h) - 1);
  into = x - (sigma * Expm1(r2 * h)) * p.eps - correction * p.change_r1;
}

}  // namespace

/// Steps of order 3, the last ones lower, so that as many evaluations are made as there are steps.
SamplerTask DpmFast(Sampling& s) {
  constexpr float kThird = 1.0f / 3;
  if (s.steps() < 1) co_return;
  const TimeRange range = TimeRangeOf(s.sigmas);
  const int evaluations = s.steps();
  const int steps = evaluations / 3 + 1;
  const std::vector<float> times = Linspace(range.start, range.end, static_cast<size_t>(steps) + 1);
  std::vector<int> orders;
  if (evaluations % 3 == 0) {
    orders.assign(static_cast<size_t>(steps - 2), 3);
    orders.insert(orders.end(), {2, 1});
  } else {
    orders.assign(static_cast<size_t>(steps - 1), 3);
    orders.push_back(evaluations % 3);
  }
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent u = s.New();
  Predictions p{s.New(), s.New(), s.New()};
  for (int i = 0; i < static_cast<int>(orders.size()); ++i) {
    const float t = times[i];
    const float t_next = times[i + 1];
    const float h = t_next - t;
    co_await s.Denoise(x, Sigma(t), denoised);
    p.eps = Derivative(x, denoised, Sigma(t));
    denoised = x - Sigma(t) * p.eps;
    s.Report(i, denoised);
    if (orders[i] == 1) {
      FirstOrderStep(x, t, t_next, p, x);
      continue;
    }
    const float r1 = orders[i] == 2 ? 0.5f : kThird;
    FirstMidpoint(x, t, h, r1, p, u);
    const float sigma_1 = Sigma(t + r1 * h);
    co_await s.Denoise(u, sigma_1, denoised);
    p.change_r1 = Derivative(u, denoised, sigma_1);
    p.change_r1 = p.change_r1 - p.eps;
    if (orders[i] == 2) {
      SecondOrderStep(x, t, t_next, r1, p, x);
      continue;
    }
    SecondMidpoint(x, t, h, p, u);
    const float sigma_2 = Sigma(t + (2 * kThird) * h);
    co_await s.Denoise(u, sigma_2, denoised);
    p.change_r2 = Derivative(u, denoised, sigma_2);
    p.change_r2 = p.change_r2 - p.eps;
    ThirdOrderStep(x, t, t_next, 2 * kThird, p, x);
  }
}

namespace {

/// k-diffusion's PIDStepSizeController
class StepSizeController {
 public:
  StepSizeController(double h, double p, double i, double d, double order, double accept_safety)
      : h_(h),
        b1_((p + i + d) / order),
        b2_(-(p + 2 * d) / order),
        b3_(d / order),
        accept_safety_(accept_safety) {}

  double h() const { return h_; }

  /// Scales the step by what its error allows; false when it has to be taken again.
  bool Accept(double error) {
    const double inverse = 1 / (error + 1e-8);
    if (!started_) inverses_ = {inverse, inverse, inverse};
    started_ = true;
    inverses_[0] = inverse;
    const double wanted =
        std::pow(inverses_[0], b1_) * std::pow(inverses_[1], b2_) * std::pow(inverses_[2], b3_);
    const double factor = 1 + std::atan(wanted - 1);
    const bool accepted = factor >= accept_safety_;
    if (accepted) {
      inverses_[2] = inverses_[1];
      inverses_[1] = inverses_[0];
    }
    h_ *= factor;
    return accepted;
  }

 private:
  double h_;
  double b1_;
  double b2_;
  double b3_;
  double accept_safety_;
  bool started_ = false;
  std::array<double, 3> inverses_{};
};

}  // namespace

/// DPM-Solver-12 or -23: each step is taken with two orders, whose difference sets the next step's size.
SamplerTask DpmAdaptive(Sampling& s) {
  constexpr float kThird = 1.0f / 3;
  if (s.steps() < 1) co_return;
  const TimeRange range = TimeRangeOf(s.sigmas);
  const int order = s.options.Whole("order", 3, 2, 3);
  const float rtol = static_cast<float>(s.options.Number("rtol", 0.05));
  const float atol = static_cast<float>(s.options.Number("atol", 0.0078));
  const double eta = s.options.Number("eta", 0);
  const float s_noise = static_cast<float>(s.options.Number("s_noise", 1));
  const bool forward = range.end > range.start;
  if (!forward && eta != 0) throw std::out_of_range("eta must be 0 for rising sigmas");
  const double h_init = std::abs(s.options.Number("h_init", 0.05));
  StepSizeController controller(forward ? h_init : -h_init, s.options.Number("pcoeff", 0),
                                s.options.Number("icoeff", 1), s.options.Number("dcoeff", 0),
                                eta != 0 ? 1.5 : order, s.options.Number("accept_safety", 0.81));
  const float margin = 1e-5f;
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent predicted = s.New();
  Latent u = s.New();
  Latent x_low = s.New();
  Latent x_high = s.New();
  Latent x_previous = s.New();
  Predictions p{s.New(), s.New(), s.New()};
  x_previous = x;
  float t = range.start;
  for (int i = 0; forward ? t < range.end - margin : t > range.end + margin; ++i) {
    const float proposed = t + static_cast<float>(controller.h());
    const float t_next = forward ? std::min(range.end, proposed) : std::max(range.end, proposed);
    const AncestralStep step = AncestralTimes(t, t_next, range.end, eta);
    const float h = step.down - t;
    co_await s.Denoise(x, Sigma(t), predicted);
    p.eps = Derivative(x, predicted, Sigma(t));
    // What is shown is x without its noise, which isn't the prediction to the last bit.
    predicted = x - Sigma(t) * p.eps;
    const float r1 = order == 2 ? 0.5f : kThird;
    FirstMidpoint(x, t, h, r1, p, u);
    const float sigma_1 = Sigma(t + r1 * h);
    co_await s.Denoise(u, sigma_1, denoised);
    p.change_r1 = Derivative(u, denoised, sigma_1);
    p.change_r1 = p.change_r1 - p.eps;
    if (order == 2) {
      FirstOrderStep(x, t, step.down, p, x_low);
      SecondOrderStep(x, t, step.down, r1, p, x_high);
    } else {
      SecondOrderStep(x, t, step.down, r1, p, x_low);
      SecondMidpoint(x, t, h, p, u);
      const float sigma_2 = Sigma(t + (2 * kThird) * h);
      co_await s.Denoise(u, sigma_2, denoised);
      p.change_r2 = Derivative(u, denoised, sigma_2);
      p.change_r2 = p.change_r2 - p.eps;
      ThirdOrderStep(x, t, step.down, 2 * kThird, p, x_high);
    }
    if (controller.Accept(x_low.RelativeError(x_high, x_previous, atol, rtol))) {
      x_previous = x_low;
      x = x_high;
      if (eta != 0) s.AddNoise(x, {step.up * s_noise}, Sigma(t), Sigma(t_next));
      t = t_next;
    }
    s.Report(i, predicted);
  }
}

}  // namespace latentd
