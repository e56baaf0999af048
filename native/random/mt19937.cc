#include "random/mt19937.h"

#include <algorithm>

namespace latentd {
namespace {

constexpr size_t kMiddle = 397;

uint32_t Twist(uint32_t upper, uint32_t lower) {
  const uint32_t mixed = (upper & 0x80000000u) | (lower & 0x7fffffffu);
  return mixed >> 1 ^ ((0u - (lower & 1u)) & 0x9908b0dfu);
}

}  // namespace

Mt19937::Mt19937(uint32_t seed) {
  state_[0] = seed;
  for (uint32_t i = 1; i < kSize; ++i) {
    state_[i] = 1812433253u * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
  }
}

std::span<const uint32_t> Mt19937::Take(size_t limit) {
  if (next_ == kSize) Refill();
  const size_t count = std::min(limit, kSize - next_);
  const std::span<const uint32_t> taken(outputs_.data() + next_, count);
  next_ += count;
  return taken;
}

void Mt19937::Refill() {
  uint32_t* s = state_.data();
  size_t i = 0;
  for (; i < kSize - kMiddle; ++i) s[i] = s[i + kMiddle] ^ Twist(s[i], s[i + 1]);
  for (; i < kSize - 1; ++i) s[i] = s[i + kMiddle - kSize] ^ Twist(s[i], s[i + 1]);
  s[kSize - 1] = s[kMiddle - 1] ^ Twist(s[kSize - 1], s[0]);
  for (size_t j = 0; j < kSize; ++j) {
    uint32_t y = s[j];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    outputs_[j] = y ^ y >> 18;
  }
  next_ = 0;
}

}  // namespace latentd
