// The Mersenne twister, a block of outputs at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace latentd {

/// Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random
/// number generator", 1998; seeded as init_genrand does.
class Mt19937 {
 public:
  explicit Mt19937(uint32_t seed);

  uint32_t operator()() {
    if (next_ == kSize) Refill();
    return outputs_[next_++];
  }

  /// The next outputs, at least one and at most `limit`, taken together.
  std::span<const uint32_t> Take(size_t limit);

 private:
  static constexpr size_t kSize = 624;

  void Refill();

  std::array<uint32_t, kSize> state_;
  std::array<uint32_t, kSize> outputs_;
  size_t next_ = kSize;
};

}  // namespace latentd
