// The weights of a model on the card.
#pragma once

#include <memory>
#include <vector>

#include "cuda/device.h"
#include "cuda/program.h"

namespace latentd::cuda {

/// Values of a checkpoint's tensor where they lie on the host; null for zeros.
struct WeightPart {
  const std::byte* stored = nullptr;
  StoredFormat format = StoredFormat::kF32;
  int rows = 0, channels = 1, taps = 1;
};

struct WeightEntry {
  PlacedWeight place;
  bool wide = false;
  bool pairs = false;
  std::vector<WeightPart> parts;
};

class Weights {
 public:
  /// Copies and converts all of them: through pinned memory, two pieces at a time, one being filled while the
  /// other travels.
  Weights(Device& device, Precision precision, const std::vector<WeightEntry>& entries, size_t bytes);

  const void* At(int weight) const { return memory_.data() + places_[static_cast<size_t>(weight)].offset; }
  const float* Vector(int weight) const {
    return weight < 0 ? nullptr : static_cast<const float*>(At(weight));
  }
  /// A vector in the program's precision, as libraries want biases.
  const void* HalfVector(int weight) const {
    return weight < 0 ? nullptr : halves_.data() + half_offsets_[static_cast<size_t>(weight)];
  }
  const PlacedWeight& place(int weight) const { return places_[static_cast<size_t>(weight)]; }
  size_t bytes() const { return memory_.size() + halves_.size(); }

 private:
  std::vector<PlacedWeight> places_;
  std::vector<size_t> half_offsets_;
  DeviceMemory memory_;
  DeviceMemory halves_;
};

}  // namespace latentd::cuda
