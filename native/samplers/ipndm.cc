// Improved pseudo-numerical methods: Adams-Bashforth on the derivative, for even steps and for uneven ones.
// Zhang and Chen, "Fast Sampling of Diffusion Models with Exponential Integrator", 2022; coefficients as in
// github.com/zju-pi/diff-sampler, solvers.py.
#include <array>

#include "samplers/steps.h"

namespace latentd {
namespace {

/// The last four derivatives, the newest first.
class History {
 public:
  explicit History(Sampling& s) : derivatives_{s.New(), s.New(), s.New(), s.New()} {}

  /// Makes room for a new one and returns it.
  Latent& Push() {
    std::rotate(derivatives_.begin(), derivatives_.end() - 1, derivatives_.end());
    return derivatives_[0];
  }

  const Latent& operator[](size_t age) const { return derivatives_[age]; }

 private:
  std::array<Latent, 4> derivatives_;
};

/// The share of each derivative, the newest first.
using AdamsBashforth = std::array<float, 4>;

/// Adams-Bashforth for four steps of sizes h (the next one), h1, h2, h3 (the ones before).
AdamsBashforth UnevenCoefficients(int order, float h, float h1, float h2, float h3) {
  if (order == 1) return {1, 0, 0, 0};
  if (order == 2) return {(2 + h / h1) / 2, -(h / h1) / 2, 0, 0};
  const float share = 1 - h / (3 * (h + h1)) * (h * (h + h1)) / (h1 * (h1 + h2));
  const float temp1 = share / 2;
  if (order == 3) {
    return {(2 + h / h1) / 2 + temp1, -(h / h1) / 2 - (1 + h1 / h2) * temp1, temp1 * h1 / h2, 0};
  }
  const float temp2 = ((1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2))) *
                      (h * (h + h1) * (h + h1 + h2)) / (h1 * (h1 + h2) * (h1 + h2 + h3));
  const float ratio = h1 * (h1 + h2) / (h2 * (h2 + h3));
  return {(2 + h / h1) / 2 + temp1 + temp2,
          -(h / h1) / 2 - (1 + h1 / h2) * temp1 - (1 + h1 / h2 + ratio) * temp2,
          temp1 * h1 / h2 + (h1 / h2 + ratio * (1 + h2 / h3)) * temp2, -temp2 * ratio * h1 / h2};
}

/// Adams-Bashforth for even steps, in whole numbers, and what they are shares of.
struct Shares {
  AdamsBashforth shares;
  float whole;
};

const Shares& EvenCoefficients(int order) {
  static constexpr std::array<Shares, 4> kTable = {{
      {{1, 0, 0, 0}, 1},
      {{3, -1, 0, 0}, 2},
      {{23, -16, 5, 0}, 12},
      {{55, -59, 37, -9}, 24},
  }};
  return kTable[static_cast<size_t>(order - 1)];
}

SamplerTask PseudoNumerical(Sampling& s, bool uneven) {
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent direction = s.New();
  History d(s);
  for (int i = 0; i < s.steps(); ++i) {
    const float sigma = s.sigmas[i];
    const float sigma_next = s.sigmas[i + 1];
    co_await s.Denoise(x, sigma, denoised);
    s.Report(i, denoised);
    d.Push() = Derivative(x, denoised, sigma);
    if (sigma_next == 0) {
      x = denoised;
      continue;
    }
    const int order = std::min(4, i + 1);
    const auto step_before = [&s, i](int back) {
      return i >= back ? s.sigmas[i - back + 1] - s.sigmas[i - back] : 0.0f;
    };
    const float h = sigma_next - sigma;
    const Shares chosen =
        uneven ? Shares{UnevenCoefficients(order, h, step_before(1), step_before(2), step_before(3)), 1}
               : EvenCoefficients(order);
    const AdamsBashforth& c = chosen.shares;
    const std::array<Term, 4> terms = {c[0] * d[0], c[1] * d[1], c[2] * d[2], c[3] * d[3]};
    direction.Combine(std::span(terms).first(static_cast<size_t>(order)));
    direction = h * direction;
    if (chosen.whole != 1) direction = direction / chosen.whole;
    x = x + direction;
  }
}

}  // namespace

SamplerTask Ipndm(Sampling& s) { return PseudoNumerical(s, false); }

SamplerTask IpndmV(Sampling& s) { return PseudoNumerical(s, true); }

}  // namespace latentd
