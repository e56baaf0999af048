#include "cuda/latents.h"

#include <cstring>
#include <stdexcept>
#include <vector>

#include "cuda/kernels/kernels.h"

namespace latentd::cuda {

DeviceLatents::DeviceLatents(std::shared_ptr<Device> device, size_t count)
    : device_(std::move(device)), staging_(sizeof(float) * count, "reserving pinned memory for latents") {}

float* DeviceLatents::Allocate(size_t count) {
  void* values = nullptr;
  Check(cudaMalloc(&values, sizeof(float) * count), "reserving memory for a latent");
  return static_cast<float*>(values);
}

void DeviceLatents::Free(float* values) noexcept { static_cast<void>(cudaFree(values)); }

void DeviceLatents::Combine(std::span<const Term> terms, float* into, size_t count) {
  Sum(terms, false, into, count);
}

void DeviceLatents::CombineFused(std::span<const Term> terms, float* into, size_t count) {
  Sum(terms, true, into, count);
}

void DeviceLatents::Sum(std::span<const Term> terms, bool fused, float* into, size_t count) {
  if (terms.size() > kMostTerms) throw std::logic_error("a sum of latents has too many terms");
  CombineParameters p{};
  p.into = into;
  p.count = static_cast<int64_t>(count);
  p.terms = static_cast<int>(terms.size());
  p.fused = fused;
  for (size_t k = 0; k < terms.size(); ++k) {
    p.values[k] = terms[k].values;
    p.factors[k] = terms[k].factor;
  }
  LaunchCombine(p, device_->stream());
}

void DeviceLatents::DividedDifference(const float* a, const float* b, float divisor, float* into,
                                      size_t count) {
  LaunchQuotient({a, b, divisor, into, static_cast<int64_t>(count)}, device_->stream());
}

void DeviceLatents::Divide(const float* a, float divisor, float* into, size_t count) {
  DividedDifference(a, nullptr, divisor, into, count);
}

float DeviceLatents::RelativeError(const float* a, const float* b, const float* c, float atol, float rtol,
                                   size_t count) {
  std::vector<float> values[3];
  const float* const operands[3] = {a, b, c};
  for (int k = 0; k < 3; ++k) {
    values[k].resize(count);
    Read(operands[k], values[k]);
  }
  return HostMemory().RelativeError(values[0].data(), values[1].data(), values[2].data(), atol, rtol, count);
}

void DeviceLatents::Write(std::span<const float> from, float* into) {
  written_.Wait();
  std::memcpy(staging_.data(), from.data(), from.size_bytes());
  Check(cudaMemcpyAsync(into, staging_.data(), from.size_bytes(), cudaMemcpyHostToDevice, device_->stream()),
        "copying a latent to the card");
  written_.Record(device_->stream());
}

void DeviceLatents::Read(const float* from, std::span<float> into) {
  written_.Wait();
  Check(cudaMemcpyAsync(staging_.data(), from, into.size_bytes(), cudaMemcpyDeviceToHost, device_->stream()),
        "copying a latent from the card");
  device_->stream().Wait();
  std::memcpy(into.data(), staging_.data(), into.size_bytes());
}

}  // namespace latentd::cuda
