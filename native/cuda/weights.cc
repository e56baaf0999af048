#include "cuda/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "cuda/upload.h"

namespace latentd::cuda {
namespace {

constexpr size_t kAlignment = 256;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t ValueBytes(const WeightEntry& entry) {
  return Aligned((entry.wide ? sizeof(float) : sizeof(uint16_t)) * static_cast<size_t>(entry.place.rows) *
                 static_cast<size_t>(entry.place.columns));
}

size_t HalfBytes(const WeightEntry& entry) {
  return entry.wide ? Aligned(sizeof(uint16_t) * static_cast<size_t>(entry.place.rows)) : 0;
}

}  // namespace

Weights::Weights(Device& device, Precision precision, const std::vector<WeightEntry>& entries,
                 std::shared_ptr<const Weights> owner)
    : owner_(std::move(owner)) {
  Reserve(entries);
  const cudaStream_t stream = device.stream();
  if (memory_.size() > 0)
    Check(cudaMemsetAsync(memory_.data(), 0, memory_.size(), stream), "clearing weights");
  const auto is_shared = [this](const WeightEntry& entry) { return owner_ != nullptr && entry.shared >= 0; };
  Upload upload(device, precision, entries, is_shared);
  for (size_t i = 0; i < entries.size(); ++i) {
    const WeightEntry& entry = entries[i];
    if (is_shared(entry)) continue;
    int first_row = 0;
    for (const WeightPart& part : entry.parts) {
      upload.Send(entry, part, first_row, places_[i].values);
      first_row += part.rows;
    }
    if (!entry.wide) continue;
    WeightParameters p{};
    p.stored = places_[i].values;
    p.format = StoredDType::kF32;
    p.packed = places_[i].halves;
    p.rows = entry.place.rows;
    p.channels = p.taps = p.columns = 1;
    LaunchWeight(precision, p, stream);
  }
  device.stream().Wait();
}

void Weights::Reserve(const std::vector<WeightEntry>& entries) {
  size_t bytes = 0;
  for (const WeightEntry& entry : entries) {
    if (owner_ == nullptr || entry.shared < 0) bytes += ValueBytes(entry) + HalfBytes(entry);
  }
  memory_ = DeviceMemory(bytes, "reserving memory for weights");
  std::byte* next = memory_.data();
  for (const WeightEntry& entry : entries) {
    if (owner_ != nullptr && entry.shared >= 0) {
      places_.push_back(owner_->places_.at(static_cast<size_t>(entry.shared)));
      continue;
    }
    places_.push_back({entry.place, next, next + ValueBytes(entry)});
    next += ValueBytes(entry) + HalfBytes(entry);
  }
}

}  // namespace latentd::cuda
