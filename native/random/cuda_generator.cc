#include "random/cuda_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "parallel.h"
#include "random/philox.h"

namespace latentd {
namespace {

constexpr uint64_t kBlockSize = 256;
constexpr uint64_t kNormalsPerCall = 4;

/// curand's _curand_box_muller: the sine first. Products and sums are fused on the GPU.
void BoxMuller(uint32_t x, uint32_t y, float* into) {
  constexpr float kInverse = 0x1p-32f;
  constexpr float kInverseTwoPi = static_cast<float>(0x1p-32 * 2 * std::numbers::pi);
  const float u = std::fma(static_cast<float>(x), kInverse, kInverse / 2);
  const float v = std::fma(static_cast<float>(y), kInverseTwoPi, kInverseTwoPi / 2);
  const float radius = std::sqrt(-2.0f * std::log(u));
  into[0] = std::sin(v) * radius;
  into[1] = std::cos(v) * radius;
}

}  // namespace

void CudaGenerator::Normal(std::span<float> into) {
  if (into.empty()) return;
  const uint64_t count = into.size();
  // calc_execution_policy
  const uint64_t blocks = std::min(resident_threads_ / kBlockSize, (count + kBlockSize - 1) / kBlockSize);
  const uint64_t threads = std::max<uint64_t>(blocks, 1) * kBlockSize;
  const uint64_t calls = (count - 1) / (threads * kNormalsPerCall) + 1;
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)};
  ParallelFor(std::min(threads, count), size_t{1} << 14, [&](size_t begin, size_t end) {
    for (uint64_t thread = begin; thread < end; ++thread) {
      for (uint64_t call = 0; call < calls; ++call) {
        const uint64_t counter = offset_ / 4 + call;
        const auto words = Philox4x32({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
                                       static_cast<uint32_t>(thread), static_cast<uint32_t>(thread >> 32)},
                                      key);
        std::array<float, kNormalsPerCall> normals;
        BoxMuller(words[0], words[1], &normals[0]);
        BoxMuller(words[2], words[3], &normals[2]);
        for (uint64_t k = 0; k < kNormalsPerCall; ++k) {
          const uint64_t index = thread + threads * (call * kNormalsPerCall + k);
          if (index < count) into[index] = normals[k];
        }
      }
    }
  });
  offset_ += calls * kNormalsPerCall;
}

}  // namespace latentd
