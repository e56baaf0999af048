#include "random/torch_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "random/box_muller.h"

namespace latentd {
namespace {

constexpr size_t kBlock = 16;

}  // namespace

uint64_t TorchGenerator::Random64() {
  const uint64_t high = Random32();
  return high << 32 | Random32();
}

void TorchGenerator::Uniform(std::span<float> into) {
  while (!into.empty()) {
    const auto draws = engine_.Take(into.size());
    for (size_t i = 0; i < draws.size(); ++i) {
      into[i] = static_cast<float>(static_cast<int32_t>(draws[i] & 0xffffffu)) * 0x1p-24f;
    }
    into = into.subspan(draws.size());
  }
}

void TorchGenerator::Uniform(std::span<double> into) {
  for (double& value : into) value = Uniform53();
}

double TorchGenerator::NextNormal() {
  if (spare_) {
    const double value = *spare_;
    spare_.reset();
    return value;
  }
  const double u1 = Uniform53();
  const double u2 = Uniform53();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * std::numbers::pi * u1;
  spare_ = radius * std::sin(theta) + 0.0;
  return radius * std::cos(theta) + 0.0;
}

template <typename T>
void TorchGenerator::FillNormal(std::span<T> into) {
  if (into.size() < kBlock) {
    for (T& value : into) value = static_cast<T>(NextNormal());
    return;
  }
  Uniform(into);
  for (size_t i = 0; i + kBlock <= into.size(); i += kBlock) {
    BoxMuller16(into.subspan(i).template first<kBlock>());
  }
  if (into.size() % kBlock == 0) return;
  const auto tail = into.template last<kBlock>();
  Uniform(tail);
  BoxMuller16(tail);
}

void TorchGenerator::Normal(std::span<float> into) { FillNormal(into); }

void TorchGenerator::Normal(std::span<double> into) { FillNormal(into); }

void TorchGenerator::NormalForNarrowTypes(std::span<float> into) {
  if (into.size() < kBlock) return Normal(into);
  std::array<float, kBlock> block;
  for (size_t i = 0; i < into.size(); i += kBlock) {
    Uniform(std::span(block));
    BoxMuller16(std::span(block));
    std::copy(block.begin(), block.end(), into.begin() + std::min(i, into.size() - kBlock));
  }
}

}  // namespace latentd
