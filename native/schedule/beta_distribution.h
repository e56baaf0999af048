// The beta distribution's quantiles.
#pragma once

namespace latentd {

/// `scipy.stats.beta.ppf(p, a, b)`: the x in [0, 1] with I_x(a, b) = p, for a, b > 0 and p in [0, 1].
double BetaQuantile(double p, double a, double b);

}  // namespace latentd
