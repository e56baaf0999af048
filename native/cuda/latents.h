// A sampler's latents in the card's memory.
#pragma once

#include "cuda/device.h"
#include "samplers/latent.h"

namespace latentd::cuda {

/// Work is put on the device's stream and not waited for, but for `Read` and `RelativeError`. The caller
/// holds the device's mutex.
class DeviceLatents : public LatentMemory {
 public:
  /// `count` is the most values that `Write` and `Read` are given.
  DeviceLatents(std::shared_ptr<Device> device, size_t count);

  float* Allocate(size_t count) override;
  void Free(float* values) noexcept override;
  void Combine(std::span<const Term> terms, float* into, size_t count) override;
  void CombineFused(std::span<const Term> terms, float* into, size_t count) override;
  void DividedDifference(const float* a, const float* b, float divisor, float* into, size_t count) override;
  void Divide(const float* a, float divisor, float* into, size_t count) override;
  float RelativeError(const float* a, const float* b, const float* c, float atol, float rtol,
                      size_t count) override;
  void Write(std::span<const float> from, float* into) override;
  void Read(const float* from, std::span<float> into) override;

 private:
  void Sum(std::span<const Term> terms, bool fused, float* into, size_t count);

  std::shared_ptr<Device> device_;
  PinnedMemory staging_;
  /// When what was written last has left the staging memory.
  Event written_;
};

}  // namespace latentd::cuda
