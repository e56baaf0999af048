#include "cuda/upload.h"

#include <algorithm>
#include <cstring>

#include "parallel.h"

namespace latentd::cuda {
namespace {

constexpr size_t kPieceBytes = size_t{32} << 20;
constexpr size_t kAlignment = 256;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t RowLength(const WeightPart& part) {
  return static_cast<size_t>(part.channels) * static_cast<size_t>(part.taps);
}

size_t RowBytes(const WeightPart& part) { return BytesOf(part.stored.format, RowLength(part)); }

size_t UpCount(const WeightPart& part, const AddedProduct& product) {
  return static_cast<size_t>(part.rows) * static_cast<size_t>(product.rank);
}

size_t DownCount(const WeightPart& part, const AddedProduct& product) {
  return static_cast<size_t>(product.rank) * RowLength(part);
}

/// A page that is read from the disk makes its thread wait, so that there are several.
void CopyFromFile(std::byte* to, const std::byte* from, size_t bytes) {
  constexpr size_t kGrain = size_t{1} << 20;
  ParallelFor(bytes, kGrain,
              [=](size_t begin, size_t end) { std::memcpy(to + begin, from + begin, end - begin); });
}

using Skipped = std::function<bool(const WeightEntry&)>;

/// The most of what `measure` says of any part.
template <typename Measure>
size_t Most(const std::vector<WeightEntry>& entries, const Skipped& skipped, const Measure& measure) {
  size_t most = 0;
  for (const WeightEntry& entry : entries) {
    if (skipped(entry)) continue;
    for (const WeightPart& part : entry.parts) most = std::max(most, measure(part));
  }
  return most;
}

size_t PieceBytes(const std::vector<WeightEntry>& entries, const Skipped& skipped) {
  const auto whole = [](const WeightPart& part) { return RowBytes(part) * static_cast<size_t>(part.rows); };
  return std::max(std::min(kPieceBytes, Most(entries, skipped, whole)), Most(entries, skipped, RowBytes));
}

size_t FactorBytes(const WeightPart& part) {
  size_t bytes = 0;
  for (const AddedProduct& product : part.products) {
    bytes += Aligned(BytesOf(product.up.format, UpCount(part, product))) +
             Aligned(BytesOf(product.down.format, DownCount(part, product)));
  }
  return bytes;
}

}  // namespace

Upload::Piece::Piece(size_t bytes)
    : host(bytes, "reserving pinned memory for weights"),
      device(bytes, "reserving memory for weights on their way") {}

Upload::Upload(Device& device, Precision precision, const std::vector<WeightEntry>& entries,
               const Skipped& skipped)
    : device_(device),
      precision_(precision),
      piece_bytes_(PieceBytes(entries, skipped)),
      pieces_{Piece(piece_bytes_), Piece(piece_bytes_)},
      factors_(Most(entries, skipped, FactorBytes), "reserving memory for LoRAs on their way") {}

void Upload::Send(const WeightEntry& entry, const WeightPart& part, int first_row, std::byte* packed) {
  if (part.stored.data == nullptr) return;
  const cudaStream_t stream = device_.stream();
  WeightParameters p{};
  p.format = part.stored.format;
  p.packed = packed;
  p.wide = entry.wide;
  p.channels = part.channels;
  p.taps = part.taps;
  p.pair_rows = entry.pairs ? part.rows : 0;
  p.columns = entry.place.columns;
  // The kernels that read the factors before are ahead of these copies on the stream.
  std::byte* place = factors_.data();
  for (const AddedProduct& product : part.products) {
    LowRankProduct& added = p.added[p.additions++];
    added.up = SendFactor(product.up, UpCount(part, product), place);
    added.down = SendFactor(product.down, DownCount(part, product), place);
    added.up_format = product.up.format;
    added.down_format = product.down.format;
    added.rank = product.rank;
    added.factor = product.factor;
  }
  const size_t row_bytes = RowBytes(part);
  const int rows_at_once =
      static_cast<int>(std::min<size_t>(static_cast<size_t>(part.rows), piece_bytes_ / row_bytes));
  for (int row = 0; row < part.rows; row += rows_at_once) {
    p.rows = std::min(rows_at_once, part.rows - row);
    const size_t bytes = row_bytes * static_cast<size_t>(p.rows);
    Piece& piece = Fill(part.stored.data + row_bytes * static_cast<size_t>(row), bytes);
    Check(cudaMemcpyAsync(piece.device.data(), piece.host.data(), bytes, cudaMemcpyHostToDevice, stream),
          "copying weights to the card");
    p.stored = piece.device.data();
    p.row = row;
    p.first_row = entry.pairs ? row : first_row + row;
    LaunchWeight(precision_, p, stream);
    piece.done.Record(stream);
    piece.busy = true;
  }
}

Upload::Piece& Upload::Fill(const std::byte* from, size_t bytes) {
  Piece& piece = pieces_[turn_++ % pieces_.size()];
  if (piece.busy) piece.done.Wait();
  CopyFromFile(piece.host.data(), from, bytes);
  return piece;
}

const void* Upload::SendFactor(const StoredTensor& factor, size_t count, std::byte*& place) {
  const cudaStream_t stream = device_.stream();
  const size_t bytes = BytesOf(factor.format, count);
  const std::byte* const begin = place;
  for (size_t done = 0; done < bytes; done += piece_bytes_) {
    const size_t now = std::min(piece_bytes_, bytes - done);
    Piece& piece = Fill(factor.data + done, now);
    Check(cudaMemcpyAsync(place + done, piece.host.data(), now, cudaMemcpyHostToDevice, stream),
          "copying a LoRA to the card");
    piece.done.Record(stream);
    piece.busy = true;
  }
  place += Aligned(bytes);
  return begin;
}

}  // namespace latentd::cuda
