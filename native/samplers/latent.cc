#include "samplers/latent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

namespace latentd {
namespace {

constexpr std::align_val_t kAlignment{64};

// The loop's results may overwrite its operands, but only at the same index.
#if defined(__clang__)
#define LATENTD_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define LATENTD_ELEMENTWISE _Pragma("GCC ivdep")
#endif

template <size_t N>
void CombineFixed(std::span<const Term> terms, float* into, size_t count) {
  float factors[N];
  const float* values[N];
  for (size_t k = 0; k < N; ++k) {
    factors[k] = terms[k].factor;
    values[k] = terms[k].values;
  }
  LATENTD_ELEMENTWISE
  for (size_t i = 0; i < count; ++i) {
    float sum = factors[0] * values[0][i];
    for (size_t k = 1; k < N; ++k) sum += factors[k] * values[k][i];
    into[i] = sum;
  }
}

class HostMemoryImpl : public LatentMemory {
 public:
  float* Allocate(size_t count) override {
    return static_cast<float*>(::operator new(std::max<size_t>(count, 1) * sizeof(float), kAlignment));
  }

  void Free(float* values) noexcept override { ::operator delete(values, kAlignment); }

  void Combine(std::span<const Term> terms, float* into, size_t count) override {
    switch (terms.size()) {
      case 0:
        std::fill_n(into, count, 0.0f);
        return;
      case 1:
        if (terms[0].factor == 1 && terms[0].values != into) {
          std::memcpy(into, terms[0].values, count * sizeof(float));
          return;
        }
        return CombineFixed<1>(terms, into, count);
      case 2:
        return CombineFixed<2>(terms, into, count);
      case 3:
        return CombineFixed<3>(terms, into, count);
      case 4:
        return CombineFixed<4>(terms, into, count);
      default:
        break;
    }
    // `into` may be one of the later operands: a block's sum is kept aside until it is whole.
    constexpr size_t kBlock = 256;
    float sums[kBlock];
    for (size_t begin = 0; begin < count; begin += kBlock) {
      const size_t length = std::min(kBlock, count - begin);
      for (size_t i = 0; i < length; ++i) sums[i] = terms[0].factor * terms[0].values[begin + i];
      for (const Term& term : terms.subspan(1)) {
        for (size_t i = 0; i < length; ++i) sums[i] += term.factor * term.values[begin + i];
      }
      std::memcpy(into + begin, sums, length * sizeof(float));
    }
  }

  void CombineFused(std::span<const Term> terms, float* into, size_t count) override {
    constexpr size_t kBlock = 256;
    float sums[kBlock];
    for (size_t begin = 0; begin < count; begin += kBlock) {
      const size_t length = std::min(kBlock, count - begin);
      std::fill_n(sums, length, 0.0f);
      for (const Term& term : terms) {
        // A product of floats is exact in double, where a fused operation would be a call for each value.
        const double factor = term.factor;
        for (size_t i = 0; i < length; ++i) {
          sums[i] = static_cast<float>(sums[i] + factor * term.values[begin + i]);
        }
      }
      std::memcpy(into + begin, sums, length * sizeof(float));
    }
  }

  void DividedDifference(const float* a, const float* b, float divisor, float* into, size_t count) override {
    LATENTD_ELEMENTWISE
    for (size_t i = 0; i < count; ++i) into[i] = (a[i] - b[i]) / divisor;
  }

  void Divide(const float* a, float divisor, float* into, size_t count) override {
    LATENTD_ELEMENTWISE
    for (size_t i = 0; i < count; ++i) into[i] = a[i] / divisor;
  }

  float RelativeError(const float* a, const float* b, const float* c, float atol, float rtol,
                      size_t count) override {
    // Summed in eight lanes, as torch.linalg.norm does (ATen/native/cpu/ReduceOpsKernel.cpp): the last bit
    // decides on the next step's size.
    constexpr size_t kLanes = 8;
    std::array<float, kLanes> squares{};
    const auto square = [&](size_t i) {
      const float scale = std::max(atol, rtol * std::max(std::abs(a[i]), std::abs(c[i])));
      const float ratio = (a[i] - b[i]) / scale;
      return ratio * ratio;
    };
    size_t next = 0;
    for (; next + kLanes <= count; next += kLanes) {
      for (size_t k = 0; k < kLanes; ++k) squares[k] += square(next + k);
    }
    float sum = 0;
    for (const float lane : squares) sum += lane;
    for (; next < count; ++next) sum += square(next);
    return std::sqrt(sum) / static_cast<float>(std::sqrt(static_cast<double>(count)));
  }

  void Write(std::span<const float> from, float* into) override { std::copy(from.begin(), from.end(), into); }

  void Read(const float* from, std::span<float> into) override {
    std::copy_n(from, into.size(), into.begin());
  }
};

}  // namespace

LatentMemory& HostMemory() {
  static HostMemoryImpl memory;
  return memory;
}

Latent::~Latent() {
  if (values_ != nullptr) memory_->Free(values_);
}

Latent::Latent(Latent&& other) noexcept
    : memory_(other.memory_), values_(std::exchange(other.values_, nullptr)), size_(other.size_) {}

Latent& Latent::operator=(Latent&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(values_, other.values_);
  std::swap(size_, other.size_);
  return *this;
}

Latent& Latent::operator=(const latentd::DividedDifference& difference) {
  memory_->DividedDifference(difference.a.values_, difference.b.values_, difference.divisor, values_, size_);
  return *this;
}

Latent& Latent::operator=(const Quotient& quotient) {
  memory_->Divide(quotient.a.values_, quotient.divisor, values_, size_);
  return *this;
}

float Latent::RelativeError(const Latent& other, const Latent& previous, float atol, float rtol) const {
  return memory_->RelativeError(values_, other.values_, previous.values_, atol, rtol, size_);
}

}  // namespace latentd
