#include "samplers/sampling.h"

#include <algorithm>
#include <cmath>

namespace latentd {
namespace {

/// torch.std: of a sample, summed in double.
float StandardDeviation(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  double squares = 0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  return static_cast<float>(std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

}  // namespace

void Sampling::Report(int step, const Latent& denoised) {
  reported_ = denoised;
  reported_steps_ = step + 1;
}

void Sampling::Noise(Latent& into, float sigma, float sigma_next, double clip) {
  host_noise_.resize(setup_.size);
  setup_.noise->Sample(sigma, sigma_next, host_noise_);
  if (clip > 0) {
    const float limit = static_cast<float>(clip) * StandardDeviation(host_noise_);
    for (float& value : host_noise_) value = std::clamp(value, -limit, limit);
  }
  into.Write(host_noise_);
}

void Sampling::AddNoise(Latent& latent, std::initializer_list<float> factors, float sigma, float sigma_next) {
  AddFrom(*setup_.noise, latent, factors, sigma, sigma_next);
}

void Sampling::PassGlobalNoise() {
  ++global_draws_;
  ++unused_draws_;
}

void Sampling::AddGlobalNoise(Latent& latent, std::initializer_list<float> factors) {
  host_noise_.resize(setup_.size);
  for (; unused_draws_ > 0; --unused_draws_) setup_.global_noise->Sample(0, 0, host_noise_);
  ++global_draws_;
  AddFrom(*setup_.global_noise, latent, factors, 0, 0);
}

void Sampling::AddFrom(NoiseSampler& source, Latent& latent, std::initializer_list<float> factors,
                       float sigma, float sigma_next) {
  host_noise_.resize(setup_.size);
  source.Sample(sigma, sigma_next, host_noise_);
  noise_.Write(host_noise_);
  float last = 1;
  for (const float factor : factors) {
    if (last != 1) noise_ = last * noise_;
    last = factor;
  }
  latent = latent + last * noise_;
}

}  // namespace latentd
