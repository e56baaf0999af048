#include "cuda/weights.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "parallel.h"

namespace latentd::cuda {
namespace {

constexpr size_t kPieceBytes = size_t{32} << 20;
constexpr size_t kAlignment = 256;

size_t SizeOf(StoredFormat format) {
  switch (format) {
    case StoredFormat::kF64:
      return 8;
    case StoredFormat::kF32:
      return 4;
    default:
      return 2;
  }
}

/// One of two pieces that take turns.
struct Piece {
  explicit Piece(size_t bytes)
      : host(bytes, "reserving pinned memory for weights"),
        device(bytes, "reserving memory for weights on their way") {}
  PinnedMemory host;
  DeviceMemory device;
  Event done;
  bool busy = false;
};

/// A page that is read from the disk makes its thread wait, so that there are several.
void CopyFromFile(std::byte* to, const std::byte* from, size_t bytes) {
  constexpr size_t kGrain = size_t{1} << 20;
  ParallelFor(bytes, kGrain,
              [=](size_t begin, size_t end) { std::memcpy(to + begin, from + begin, end - begin); });
}

}  // namespace

Weights::Weights(Device& device, Precision precision, const std::vector<WeightEntry>& entries, size_t bytes)
    : memory_(bytes, "reserving memory for weights") {
  size_t half_bytes = 0;
  size_t longest_row = 0;
  size_t largest_part = 0;
  for (const WeightEntry& entry : entries) {
    places_.push_back(entry.place);
    half_offsets_.push_back(half_bytes);
    if (entry.wide)
      half_bytes += (sizeof(uint16_t) * entry.place.rows + kAlignment - 1) / kAlignment * kAlignment;
    for (const WeightPart& part : entry.parts) {
      const size_t row_bytes = SizeOf(part.format) * part.channels * part.taps;
      longest_row = std::max(longest_row, row_bytes);
      largest_part = std::max(largest_part, row_bytes * part.rows);
    }
  }
  halves_ = DeviceMemory(half_bytes, "reserving memory for biases");
  const cudaStream_t stream = device.stream();
  if (bytes > 0) Check(cudaMemsetAsync(memory_.data(), 0, bytes, stream), "clearing weights");

  const size_t piece_bytes = std::max(std::min(kPieceBytes, largest_part), longest_row);
  std::array<Piece, 2> pieces{Piece(piece_bytes), Piece(piece_bytes)};
  size_t turn = 0;
  for (const WeightEntry& entry : entries) {
    int first_row = 0;
    for (const WeightPart& part : entry.parts) {
      const size_t row_bytes = SizeOf(part.format) * part.channels * part.taps;
      const int rows_at_once = static_cast<int>(std::min<size_t>(part.rows, piece_bytes / row_bytes));
      for (int row = 0; part.stored != nullptr && row < part.rows; row += rows_at_once) {
        const int rows = std::min(rows_at_once, part.rows - row);
        Piece& piece = pieces[turn++ % pieces.size()];
        if (piece.busy) piece.done.Wait();
        CopyFromFile(piece.host.data(), part.stored + row_bytes * row, row_bytes * rows);
        Check(cudaMemcpyAsync(piece.device.data(), piece.host.data(), row_bytes * rows,
                              cudaMemcpyHostToDevice, stream),
              "copying weights to the card");
        WeightParameters p{};
        p.stored = piece.device.data();
        p.format = part.format;
        p.packed = memory_.data() + entry.place.offset;
        p.wide = entry.wide;
        p.rows = rows;
        p.channels = part.channels;
        p.taps = part.taps;
        p.first_row = entry.pairs ? row : first_row + row;
        p.pair_rows = entry.pairs ? part.rows : 0;
        p.columns = entry.place.columns;
        LaunchWeight(precision, p, stream);
        piece.done.Record(stream);
        piece.busy = true;
      }
      first_row += part.rows;
    }
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].wide) continue;
    WeightParameters p{};
    p.stored = At(static_cast<int>(i));
    p.format = StoredFormat::kF32;
    p.packed = halves_.data() + half_offsets_[i];
    p.rows = entries[i].place.rows;
    p.channels = p.taps = p.columns = 1;
    LaunchWeight(precision, p, stream);
  }
  device.stream().Wait();
}

}  // namespace latentd::cuda
