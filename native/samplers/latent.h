// The vectors that samplers compute with, and the few things they do with them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace latentd {

/// One summand of a linear combination: factor · values.
struct Term {
  float factor;
  const float* values;
};

/// Where latents lie, and arithmetic there. Every sampler is written against this; another device is another
/// implementation. Results may overwrite operands.
class LatentMemory {
 public:
  virtual ~LatentMemory() = default;

  virtual float* Allocate(size_t count) = 0;
  virtual void Free(float* values) noexcept = 0;
  /// into = Σ factor · values, each product rounded and summed from the left, as torch evaluates such a sum.
  virtual void Combine(std::span<const Term> terms, float* into, size_t count) = 0;
  /// The same, each product fused into the sum, as a matrix product evaluates it.
  virtual void CombineFused(std::span<const Term> terms, float* into, size_t count) = 0;
  /// into = (a − b) / divisor
  virtual void DividedDifference(const float* a, const float* b, float divisor, float* into,
                                 size_t count) = 0;
  /// into = a / divisor
  virtual void Divide(const float* a, float divisor, float* into, size_t count) = 0;
  /// √(mean of ((a − b) / max(atol, rtol · max(|a|, |c|)))²)
  virtual float RelativeError(const float* a, const float* b, const float* c, float atol, float rtol,
                              size_t count) = 0;
  /// Copies from and to the host.
  virtual void Write(std::span<const float> from, float* into) = 0;
  virtual void Read(const float* from, std::span<float> into) = 0;
};

/// The host's memory.
LatentMemory& HostMemory();

class Latent;

template <size_t N>
struct Sum {
  std::array<Term, N> terms;
};

/// (a − b) / divisor
struct DividedDifference {
  const Latent& a;
  const Latent& b;
  float divisor;
};

/// a / divisor, which is not a · (1 / divisor) to the last bit.
struct Quotient {
  const Latent& a;
  float divisor;
};

/// A batch of latents seen as one vector. Assigning a combination of latents, or another latent, computes or
/// copies values into memory that was taken at construction.
class Latent {
 public:
  Latent(LatentMemory& memory, size_t size) : memory_(&memory), values_(memory.Allocate(size)), size_(size) {}
  ~Latent();
  Latent(Latent&& other) noexcept;
  /// Takes over the other's memory.
  Latent& operator=(Latent&& other) noexcept;
  Latent(const Latent&) = delete;

  Latent& operator=(const Latent& other) { return Combine({{Term{1, other.values_}}}); }
  Latent& operator=(const Term& term) { return Combine({{term}}); }
  Latent& operator=(const DividedDifference& difference);
  Latent& operator=(const Quotient& quotient);
  template <size_t N>
  Latent& operator=(const Sum<N>& sum) {
    return Combine(sum.terms);
  }
  /// The sum of any number of terms.
  Latent& Combine(std::span<const Term> terms) {
    memory_->Combine(terms, values_, size_);
    return *this;
  }

  /// The same, rounded as in a matrix product.
  Latent& CombineFused(std::span<const Term> terms) {
    memory_->CombineFused(terms, values_, size_);
    return *this;
  }

  operator Term() const { return {1, values_}; }

  size_t size() const { return size_; }
  const float* data() const { return values_; }

  void Write(std::span<const float> from) { memory_->Write(from, values_); }
  void Read(std::span<float> into) const { memory_->Read(values_, into); }

  /// `LatentMemory::RelativeError` of this latent against `other`, relative to the larger of this and
  /// `previous`.
  float RelativeError(const Latent& other, const Latent& previous, float atol, float rtol) const;

 private:
  LatentMemory* memory_;
  float* values_;
  size_t size_;
};

inline Term operator*(float factor, const Latent& latent) { return {factor, latent.data()}; }
inline Quotient operator/(const Latent& latent, float divisor) { return {latent, divisor}; }
inline Term operator-(const Term& term) { return {-term.factor, term.values}; }

// Sums grow from the left; a latent alone is a term of factor 1.
inline Sum<2> operator+(const Term& a, const Term& b) { return {{a, b}}; }
inline Sum<2> operator-(const Term& a, const Term& b) { return {{a, -b}}; }
template <size_t N>
Sum<N + 1> operator+(const Sum<N>& sum, const Term& term) {
  Sum<N + 1> longer;
  std::copy(sum.terms.begin(), sum.terms.end(), longer.terms.begin());
  longer.terms[N] = term;
  return longer;
}
template <size_t N>
Sum<N + 1> operator-(const Sum<N>& sum, const Term& term) {
  return sum + -term;
}

/// Karras' ODE derivative, (x − denoised) / sigma.
inline DividedDifference Derivative(const Latent& x, const Latent& denoised, float sigma) {
  return {x, denoised, sigma};
}

}  // namespace latentd
