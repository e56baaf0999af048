// The weights of a model on the card.
#pragma once

#include <memory>
#include <vector>

#include "cuda/device.h"
#include "cuda/program.h"

namespace latentd::cuda {

/// A tensor's values where they lie on the host, in a file or in memory; null for zeros.
struct StoredTensor {
  const std::byte* data = nullptr;
  StoredDType format = StoredDType::kF32;
};

/// What a LoRA adds: factor · up · down.
struct AddedProduct {
  StoredTensor up, down;
  int rank = 0;
  float factor = 0;
};

struct WeightPart {
  StoredTensor stored;
  int rows = 0, channels = 1, taps = 1;
  std::vector<AddedProduct> products;
};

struct WeightEntry {
  PlacedWeight place;
  bool wide = false;
  bool pairs = false;
  std::vector<WeightPart> parts;
  /// The number of the same weight among the owner's; -1 for none.
  int shared = -1;
};

class Weights {
 public:
  /// Copies and converts all of them but those that `owner`, which may be null, has already: through pinned
  /// memory, two pieces at a time, one being filled while the other travels.
  Weights(Device& device, Precision precision, const std::vector<WeightEntry>& entries,
          std::shared_ptr<const Weights> owner);

  const void* At(int weight) const { return places_[static_cast<size_t>(weight)].values; }
  const float* Vector(int weight) const {
    return weight < 0 ? nullptr : static_cast<const float*>(At(weight));
  }
  /// A vector in the program's precision, as libraries want biases.
  const void* HalfVector(int weight) const {
    return weight < 0 ? nullptr : places_[static_cast<size_t>(weight)].halves;
  }
  const PlacedWeight& place(int weight) const { return places_[static_cast<size_t>(weight)].shape; }
  /// Of the card's memory, without what is the owner's.
  size_t bytes() const { return memory_.size(); }

 private:
  struct Place {
    PlacedWeight shape;
    std::byte* values = nullptr;
    /// Of vectors.
    std::byte* halves = nullptr;
  };

  void Reserve(const std::vector<WeightEntry>& entries);

  std::shared_ptr<const Weights> owner_;
  std::vector<Place> places_;
  DeviceMemory memory_;
};

}  // namespace latentd::cuda
