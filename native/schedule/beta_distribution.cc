#include "schedule/beta_distribution.h"

#include <cmath>
#include <limits>

#include "schedule/beta_middle.h"

namespace latentd {
namespace {

/// The continued fraction of I_x(a, b) (DLMF 8.17.22), by Lentz's method; converges fast for x < (a + 1)/(a +
/// b + 2).
double BetaFraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  constexpr int kMaxTerms = 10000;
  const auto nonzero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

/// log of x^a (1 − x)^b / B(a, b)
double LogPower(double x, double a, double b) {
  return a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
}

/// I_x(a, b) − p, for x in (0, 1); from the complement where that is the smaller one.
double Excess(double x, double p, double a, double b) {
  const double power = std::exp(LogPower(x, a, b));
  if (x < (a + 1) / (a + b + 2)) return power * BetaFraction(x, a, b) / a - p;
  return (1 - p) - power * BetaFraction(1 - x, b, a) / b;
}

}  // namespace

double BetaQuantile(double p, double a, double b) {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  if (a == 1 && b == 1) return p;
  if (a == b && p == 0.5) return BetaMiddle(a);
  double low = 0;
  double high = 1;
  double x = a / (a + b);
  // Newton's method, kept inside a bracket that every evaluation narrows.
  for (int i = 0; i < 2000; ++i) {
    const double excess = Excess(x, p, a, b);
    if (excess == 0) return x;
    (excess > 0 ? high : low) = x;
    const double density = std::exp(LogPower(x, a, b)) / (x * (1 - x));
    double next = x - excess / density;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    if (next == low || next == high) return next;
    if (std::abs(next - x) <= x * std::numeric_limits<double>::epsilon()) return next;
    x = next;
  }
  return x;
}

}  // namespace latentd
