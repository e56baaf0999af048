// Tensors on their way to the card.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "cuda/device.h"
#include "cuda/weights.h"

namespace latentd::cuda {

class Upload {
 public:
  /// With memory for the largest of those entries that `skipped` doesn't name.
  Upload(Device& device, Precision precision, const std::vector<WeightEntry>& entries,
         const std::function<bool(const WeightEntry&)>& skipped);

  /// Puts a part, whose first row is the entry's `first_row`, in its place at `packed`, and its products on
  /// top.
  void Send(const WeightEntry& entry, const WeightPart& part, int first_row, std::byte* packed);

 private:
  /// One of two pieces that take turns.
  struct Piece {
    explicit Piece(size_t bytes);
    PinnedMemory host;
    DeviceMemory device;
    Event done;
    bool busy = false;
  };

  /// A piece that is free, its host side filled with `bytes` of a file.
  Piece& Fill(const std::byte* from, size_t bytes);
  /// Copies a factor to the card whole.
  const void* SendFactor(const StoredTensor& factor, size_t count, std::byte*& place);

  Device& device_;
  Precision precision_;
  size_t piece_bytes_;
  std::array<Piece, 2> pieces_;
  size_t turn_ = 0;
  DeviceMemory factors_;
};

}  // namespace latentd::cuda
