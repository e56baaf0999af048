// Splits work over elements among threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace latentd {

/// Calls `body(begin, end)` over [0, count) from several threads, each at least `grain` elements long; on the
/// calling thread alone where count is small. `body` must not throw.
template <typename Body>
void ParallelFor(size_t count, size_t grain, const Body& body) {
  const size_t cores = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 16);
  const size_t threads = std::clamp<size_t>(count / std::max<size_t>(grain, 1), 1, cores);
  const size_t share = (count + threads - 1) / threads;
  std::vector<std::jthread> others;
  others.reserve(threads - 1);
  for (size_t begin = share; begin < count; begin += share) {
    others.emplace_back([&body, begin, end = std::min(begin + share, count)] { body(begin, end); });
  }
  body(size_t{0}, std::min(share, count));
}

}  // namespace latentd
