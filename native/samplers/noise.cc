#include "samplers/noise.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "random/brownian_tree.h"
#include "random/cuda_generator.h"
#include "random/torch_generator.h"

namespace latentd {
namespace {

template <typename Generator>
class GeneratorNoise : public NoiseSampler {
 public:
  explicit GeneratorNoise(Generator generator) : generator_(std::move(generator)) {}
  void Sample(float, float, std::span<float> into) override { generator_.Normal(into); }

 private:
  Generator generator_;
};

BrownianTree::Normals SeededNormals(NoiseDevice device) {
  if (!device.gpu) return [](uint64_t seed, std::span<float> into) { TorchGenerator(seed).Normal(into); };
  return [threads = device.resident_threads](uint64_t seed, std::span<float> into) {
    CudaGenerator(seed, threads).Normal(into);
  };
}

class BrownianPathNoise : public NoiseSampler {
 public:
  BrownianPathNoise(float sigma_min, float sigma_max, size_t count, uint64_t seed,
                    BrownianTree::Normals normals)
      : tree_(sigma_min, sigma_max, count, seed, std::move(normals)) {}

  void Sample(float sigma, float sigma_next, std::span<float> into) override {
    tree_.Increment(std::min(sigma, sigma_next), std::max(sigma, sigma_next), into);
    const float sign = sigma < sigma_next ? 1.0f : -1.0f;
    const float deviation = std::sqrt(std::abs(sigma_next - sigma));
    for (float& value : into) value = value * sign / deviation;
  }

 private:
  BrownianTree tree_;
};

}  // namespace

std::unique_ptr<NoiseSampler> SequentialNoise(uint64_t seed, NoiseDevice device, int skipped, size_t count) {
  std::unique_ptr<NoiseSampler> noise;
  if (device.gpu) {
    noise = std::make_unique<GeneratorNoise<CudaGenerator>>(CudaGenerator(seed, device.resident_threads));
  } else {
    noise = std::make_unique<GeneratorNoise<TorchGenerator>>(TorchGenerator(seed));
  }
  if (skipped > 0) {
    std::vector<float> discarded(count);
    for (int i = 0; i < skipped; ++i) noise->Sample(0, 0, discarded);
  }
  return noise;
}

std::unique_ptr<NoiseSampler> BrownianNoise(uint64_t seed, NoiseDevice device, std::span<const float> sigmas,
                                            size_t count) {
  float sigma_min = INFINITY;
  float sigma_max = 0;
  for (const float sigma : sigmas) {
    if (sigma > 0) sigma_min = std::min(sigma_min, sigma);
    sigma_max = std::max(sigma_max, sigma);
  }
  // A run without steps draws nothing.
  if (sigmas.size() < 2) return nullptr;
  if (sigma_max == 0) throw std::out_of_range("a Brownian path needs a sigma above 0");
  return std::make_unique<BrownianPathNoise>(sigma_min, sigma_max, count, seed, SeededNormals(device));
}

}  // namespace latentd
