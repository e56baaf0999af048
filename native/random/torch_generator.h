// torch's CPU random number generator, bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "random/mt19937.h"

namespace latentd {

/// `torch.Generator(device="cpu")` of torch 2.x on x86 with AVX2: an mt19937 engine, 24-bit uniforms, and
/// Box-Muller normals whose logarithm, sine and cosine are torch's own vector approximations. Sources:
/// ATen/core/DistributionsHelper.h and ATen/native/cpu/DistributionTemplates.h.
class TorchGenerator {
 public:
  /// As `manual_seed`: the engine takes the seed's low 32 bits.
  explicit TorchGenerator(uint64_t seed) : engine_(static_cast<uint32_t>(seed)) {}

  uint32_t Random32() { return engine_(); }

  /// Two draws, the first in the high half.
  uint64_t Random64();

  /// `torch.rand(n, dtype=float32)`: multiples of 2^-24 in [0, 1).
  void Uniform(std::span<float> into);
  void Uniform(std::span<double> into);

  /// `torch.randn(n, dtype=float32)`. From 16 elements on, blocks of 16 uniforms become 16 normals, and a
  /// remainder draws the last 16 anew; below 16 each value comes from the double-precision transform, whose
  /// second value waits for the next such call.
  void Normal(std::span<float> into);
  void Normal(std::span<double> into);

  /// `torch.randn(n, dtype=half)` before the rounding to half: differs from float32 in the order of draws.
  void NormalForNarrowTypes(std::span<float> into);

 private:
  template <typename T>
  void FillNormal(std::span<T> into);
  /// A uniform in [0, 1) of 53 bits.
  double Uniform53() { return static_cast<double>(Random64() & 0x1fffffffffffffu) * 0x1p-53; }
  double NextNormal();

  Mt19937 engine_;
  /// The second value of the last scalar Box-Muller transform.
  std::optional<double> spare_;
};

}  // namespace latentd
