// Linear multistep (Adams-Bashforth) over uneven sigmas.
#include <vector>

#include "samplers/steps.h"

namespace latentd {
namespace {

// The 21-point Gauss-Kronrod rule of QUADPACK's qk21: nodes in (0, 1], the last one 0, and their weights.
constexpr double kNodes[] = {0.995657163025808080735527280689003,
                             0.973906528517171720077964012084452,
                             0.930157491355708226001207180059508,
                             0.865063366688984510732096688423493,
                             0.780817726586416897063717578345042,
                             0.679409568299024406234327365114874,
                             0.562757134668604683339000099272694,
                             0.433395394129247190799265943165784,
                             0.294392862701460198131126603103866,
                             0.14887433898163121088482600112972,
                             0.0};
constexpr double kWeights[] = {0.011694638867371874278064396062192, 0.03255816230796472747881897245938964,
                               0.05475589657435199603138130024458,  0.07503967481091995276704314091619,
                               0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
                               0.123491976262065851077958109585166, 0.134709217311473325928054001771707,
                               0.142775938577060080797094273138717, 0.147739104901338491374841515972068,
                               0.149445554002916905664936468389821};

/// ∫ of the Lagrange basis polynomial of history point `j` from sigma i to sigma i + 1. ComfyUI integrates
/// with scipy's quad, which is content with one application of this rule; NumPy evaluates the polynomial in
/// float32.
double MultistepCoefficient(int order, const std::vector<float>& t, int i, int j) {
  // quad evaluates nothing there, where the polynomial may be no number.
  if (t[i] == t[i + 1]) return 0;
  const auto basis = [&](double at) {
    const float tau = static_cast<float>(at);
    float product = 1;
    for (int k = 0; k < order; ++k) {
      if (k != j) product *= (tau - t[i - k]) / (t[i - j] - t[i - k]);
    }
    return static_cast<double>(product);
  };
  const double centre = 0.5 * (static_cast<double>(t[i]) + t[i + 1]);
  const double half = 0.5 * (static_cast<double>(t[i + 1]) - t[i]);
  double sum = basis(centre) * kWeights[10];
  for (int k = 0; k < 10; ++k) {
    sum += kWeights[k] * (basis(centre - half * kNodes[k]) + basis(centre + half * kNodes[k]));
  }
  return sum * half;
}

}  // namespace

/// k-diffusion, sample_lms
SamplerTask Lms(Sampling& s) {
  const int order = s.options.Whole("order", 4, 1, 100);
  const int kept = std::min(order, std::max(s.steps(), 1));
  Latent& x = s.x;
  Latent denoised = s.New();
  Latent step = s.New();
  std::vector<Latent> derivatives;
  for (int k = 0; k < kept; ++k) derivatives.push_back(s.New());
  std::vector<Term> terms(static_cast<size_t>(kept));
  for (int i = 0; i < s.steps(); ++i) {
    co_await s.Denoise(x, s.sigmas[i], denoised);
    s.Report(i, denoised);
    // The newest comes first.
    std::rotate(derivatives.begin(), derivatives.end() - 1, derivatives.end());
    derivatives[0] = Derivative(x, denoised, s.sigmas[i]);
    if (s.sigmas[i + 1] == 0) {
      x = denoised;
      continue;
    }
    const int used = std::min(i + 1, order);
    for (int j = 0; j < used; ++j) {
      terms[j] = static_cast<float>(MultistepCoefficient(used, s.sigmas, i, j)) * derivatives[j];
    }
    step.Combine(std::span(terms).first(static_cast<size_t>(used)));
    x = x + step;
  }
}

}  // namespace latentd
