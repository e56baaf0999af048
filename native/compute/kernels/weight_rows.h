// A block of a stored weight's rows: widening (or rounding) runs of it, and asking for runs that come next.
#pragma once

#include "compute/kernels/gemm.h"
#include "compute/kernels/widen_rows.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Rows up to this long are widened whole, so that they are read from memory in one go; longer ones pass by
/// pass, since so much at a time would push packed columns out of the second-level cache.
inline constexpr size_t kWidenedPasses = 4;

/// Rows [first, first + rows) and, where `gate_offset` is not 0, as many again from row gate_offset + first
/// on.
struct WeightRows {
  StoredMatrix weight;
  size_t row_length, first, rows, gate_offset;

  size_t count() const { return gate_offset == 0 ? rows : 2 * rows; }

  /// The place of a value among all of the weight's.
  size_t At(size_t row, size_t k) const {
    const size_t stored = row < rows ? first + row : gate_offset + first + row - rows;
    return stored * row_length + k;
  }

  /// Columns [k, k + depth) in passes of `pass` columns, each a block for RowMajor<kBlockStride>,
  /// `pass_stride` values apart.
  template <typename Steps>
  void Widen(size_t k, size_t depth, size_t pass, float* into, size_t pass_stride) const {
    for (size_t row = 0; row < count(); ++row) {
      float* row_into = into + row * kBlockStride;
      for (size_t done = 0; done < depth; done += pass, row_into += pass_stride) {
        const size_t count = depth - done < pass ? depth - done : pass;
        if constexpr (Steps::kValues == 1) {
          WidenValues(weight, At(row, k + done), row_into, count);
        } else {
          RoundValues<Steps>(weight, At(row, k + done), row_into, count);
        }
      }
    }
  }
};

/// Brings columns [k, k + depth) of some rows into the second-level cache, a few lines at a time over `steps`
/// products: a row's piece is too short, and rows lie too far apart, for the processor to foresee them.
class FetchAhead {
 public:
  FetchAhead(const WeightRows& rows, size_t k, size_t depth, size_t steps)
      : rows_(rows), k_(k), bytes_(BytesOf(rows.weight.dtype, depth)) {
    lines_a_step_ = rows.count() * (bytes_ / kLine + 2) / steps + 1;
  }

  void Step() {
    for (size_t lines = 0; lines < lines_a_step_; ++lines) {
      if (at_ >= end_) {
        if (row_ == rows_.count()) return;
        const std::byte* from = rows_.weight.data + BytesOf(rows_.weight.dtype, rows_.At(row_++, k_));
        end_ = from + bytes_;
        at_ = from - reinterpret_cast<uintptr_t>(from) % kLine;
      }
      __builtin_prefetch(at_, 0, 2);
      at_ += kLine;
    }
  }

 private:
  static constexpr size_t kLine = 64;
  WeightRows rows_;
  size_t k_, bytes_, lines_a_step_;
  size_t row_ = 0;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
};

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
