// torch.sum of float32 on the CPU.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace latentd {

/// The sum in torch's order, to the last bit: four vectors of eight lanes each are summed in a cascade of
/// four levels, which keeps rounding errors from growing with the number of values
/// (ATen/native/cpu/SumKernel.cpp). For as many values as one thread sums, below 32768.
inline float TorchSum(std::span<const float> values) {
  constexpr size_t kLanes = 8;
  constexpr size_t kVectors = 4;
  constexpr size_t kRow = kLanes * kVectors;
  constexpr size_t kLevels = 4;
  using Row = std::array<float, kRow>;
  const auto add = [](Row& to, const float* from) {
    for (size_t k = 0; k < kRow; ++k) to[k] += from[k];
  };
  const size_t rows = values.size() / kRow;
  const size_t power = std::max<size_t>(4, rows > 1 ? std::bit_width(rows - 1) / kLevels : 0);
  const size_t step = size_t{1} << power;
  std::array<Row, kLevels> levels{};
  size_t row = 0;
  while (row + step <= rows) {
    for (const size_t end = row + step; row < end; ++row) add(levels[0], &values[row * kRow]);
    for (size_t level = 1; level < kLevels; ++level) {
      add(levels[level], levels[level - 1].data());
      levels[level - 1] = {};
      if ((row & ((step - 1) << (level * power))) != 0) break;
    }
  }
  for (; row < rows; ++row) add(levels[0], &values[row * kRow]);
  for (size_t level = 1; level < kLevels; ++level) add(levels[0], levels[level].data());
  Row& sums = levels[0];
  size_t next = rows * kRow;
  for (; next + kLanes <= values.size(); next += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) sums[k] += values[next + k];
  }
  for (size_t k = kLanes; k < kRow; ++k) sums[k % kLanes] += sums[k];
  float sum = 0;
  for (const float value : values.subspan(next)) sum += value;
  for (size_t k = 0; k < kLanes; ++k) sum += sums[k];
  return sum;
}

}  // namespace latentd
