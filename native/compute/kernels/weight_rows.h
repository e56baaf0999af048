// A block of a stored weight's rows: widening runs of it, and asking for runs that come next.
#pragma once

#include "gemm.h"
#include "widen_rows.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Rows [first, first + rows) and, where `gate_offset` is not 0, as many again from row gate_offset + first
/// on.
struct WeightRows {
  StoredMatrix weight;
  size_t row_length, first, rows, gate_offset;

  size_t count() const { return gate_offset == 0 ? rows : 2 * rows; }

  const std::byte* At(size_t row, size_t k) const {
    const size_t stored = row < rows ? first + row : gate_offset + first + row - rows;
    return weight.data + (stored * row_length + k) * ValueSize(weight.dtype);
  }

  /// Columns [k, k + depth) as a block for RowMajor<kBlockStride>.
  void Widen(size_t k, size_t depth, float* into) const {
    for (size_t row = 0; row < count(); ++row) {
      WidenRun(At(row, k), weight.dtype, into + row * kBlockStride, depth);
    }
  }
};

/// Brings columns [k, k + depth) of some rows into the second-level cache, a few lines at a time between
/// products: a row's piece is too short, and rows lie too far apart, for the processor to foresee them.
class FetchAhead {
 public:
  FetchAhead(const WeightRows& rows, size_t k, size_t depth, size_t steps)
      : rows_(rows), k_(k), lines_((depth * ValueSize(rows.weight.dtype) + kLine - 1) / kLine + 1) {
    lines_a_step_ = steps == 0 ? 0 : rows.count() * lines_ / steps + 1;
  }

  void Step() {
    for (size_t i = 0; i < lines_a_step_ && row_ < rows_.count(); ++i) {
      __builtin_prefetch(rows_.At(row_, k_) + line_ * kLine, 0, 2);
      if (++line_ == lines_) {
        line_ = 0;
        ++row_;
      }
    }
  }

 private:
  static constexpr size_t kLine = 64;
  WeightRows rows_;
  size_t k_, lines_, lines_a_step_;
  size_t row_ = 0;
  size_t line_ = 0;
};

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
