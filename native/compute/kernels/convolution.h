// Convolutions and linear layers as a product of the stored weights with packed columns.
#pragma once

#include "compute/kernels/finish.h"
#include "compute/kernels/pack.h"
#include "compute/kernels/weight_rows.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Values of packed input that all threads share: about a third-level cache. Every panel of it is read once
/// for each block of rows, which is slow enough for that cache; weights are widened anew for every such block
/// of columns, which is not cheap.
inline constexpr size_t kSharedValues = 4 * 1024 * 1024;
/// Values of packed input that one thread has to itself: about a second-level cache.
inline constexpr size_t kPackedValues = 256 * 1024;
inline constexpr size_t kMaxBlockRows = 4 * kRows;
/// One pass of widened weights.
inline constexpr size_t kPassValues = kMaxBlockRows * kBlockStride;

/// Rows of the weight that are computed together. GEGLU takes half of them from each half of the weight's
/// rows.
struct RowBlocks {
  size_t rows, count, gate_offset;

  RowBlocks(const ConvolutionArguments& a, size_t threads) {
    const bool gated = a.activation == Activation::kGeglu;
    const size_t results = gated ? a.outputs / 2 : a.outputs;
    gate_offset = gated ? results : 0;
    rows = EvenRows(results, gated ? kMaxBlockRows / 2 : kMaxBlockRows, threads);
    count = (results + rows - 1) / rows;
  }

  WeightRows Rows(const ConvolutionArguments& a, const Product& product, size_t block) const {
    const size_t results = gate_offset != 0 ? gate_offset : a.outputs;
    const size_t first = block * rows;
    return {a.weight, product.depth, first, results - first < rows ? results - first : rows, gate_offset};
  }
};

/// Some packed panels of a product's columns.
struct PackedColumns {
  const float* values;
  size_t first_panel, panels;
};

/// One thread's widened weights and unfinished sums.
struct ProductBuffers {
  float* weights;
  float* tile;
};

/// Multiplies block `block` of the weight's rows with packed columns and finishes the results; `next_block`
/// is the one that is likely to follow.
template <typename Steps>
inline void MultiplyRows(const ConvolutionArguments& a, const Product& product, const RowBlocks& blocks,
                         size_t block, size_t next_block, const PackedColumns& packed,
                         const ProductBuffers& buffers) {
  const WeightRows rows = blocks.Rows(a, product, block);
  const WeightRows next = blocks.Rows(a, product, next_block < blocks.count ? next_block : block);
  const size_t tile_stride = packed.panels * kColumns;
  constexpr size_t kPassDepth = kDepth * Steps::kValues;
  constexpr size_t kWidenedDepth = kWidenedPasses * kPassDepth;
  const size_t widened =
      EvenDepth(product.depth, product.depth <= kWidenedDepth ? kWidenedDepth : kPassDepth);
  const size_t pass = EvenDepth(widened, kPassDepth);
  const size_t panel_steps = StepsOf<Steps>(product.depth);
  const size_t row_groups = (rows.count() + kRows - 1) / kRows;
  const size_t steps = (widened + pass - 1) / pass * packed.panels * row_groups;
  for (size_t from = 0; from < product.depth; from += widened) {
    const size_t end = product.depth - from < widened ? product.depth : from + widened;
    rows.Widen<Steps>(from, end - from, pass, buffers.weights, kPassValues);
    FetchAhead ahead(end == product.depth ? next : rows, end == product.depth ? 0 : end, widened, steps);
    const float* weights = buffers.weights;
    for (size_t k = from; k < end; k += pass, weights += kPassValues) {
      const auto rows_from = [&](size_t m) {
        ahead.Step();
        return RowMajor<kBlockStride>{weights + m * kBlockStride};
      };
      for (size_t p = 0; p < packed.panels; ++p) {
        const size_t columns = product.columns - (packed.first_panel + p) * kColumns;
        const auto panel_at = [&](size_t number, size_t value) {
          return packed.values + (number * panel_steps + value / Steps::kValues) * kColumns;
        };
        const size_t next_k = k + pass < product.depth ? k + pass : 0;
        MultiplyPanel<Steps>(rows.count(), rows_from, panel_at(p, k), buffers.tile + p * kColumns,
                             tile_stride, StepsOf<Steps>(end - k < pass ? end - k : pass), k > 0,
                             columns <= kLanes,
                             p + 1 < packed.panels ? panel_at(p + 1, k) : panel_at(0, next_k));
      }
    }
  }
  const size_t column = packed.first_panel * kColumns;
  const size_t left = product.columns - column;
  FinishRows(a, product.columns, rows.first, rows.rows, column, left < tile_stride ? left : tile_stride,
             buffers.tile, tile_stride);
}

/// How a product's columns are cut into blocks that are packed together.
struct ColumnBlocks {
  size_t panels, count;
  /// Each thread packs and multiplies blocks of its own; else all threads share one block after the other.
  bool separate;

  ColumnBlocks(const Product& product, size_t steps, size_t threads) {
    constexpr size_t kFewestPanels = 8;
    separate = product.panels >= 2 * kFewestPanels * threads;
    const size_t fitting = (separate ? kPackedValues : kSharedValues) / (steps * kColumns);
    const size_t fewest = separate ? kFewestPanels : 1;
    const size_t most = fitting < fewest ? fewest : fitting;
    // As many blocks for every thread, of even sizes.
    const size_t sharers = separate ? threads : 1;
    const size_t rounds = (product.panels + most * sharers - 1) / (most * sharers);
    panels = (product.panels + rounds * sharers - 1) / (rounds * sharers);
    count = (product.panels + panels - 1) / panels;
  }
};

/// float32s that RoundInput takes, in whole cache lines.
template <typename Steps>
inline size_t RoundedValues(const ConvolutionArguments& a, const Product& product) {
  if (Steps::kValues == 1 || product.pointwise) return 0;
  return (StepsOf<Steps>(a.inputs * a.batch * a.height * a.width) + 15) / 16 * 16;
}

/// Rounds the input to the values of steps, where taps are packed from them: `into` holds RoundedValues.
template <typename Steps>
inline const typename Steps::Value* RoundInput(const Context& context, const ConvolutionArguments& a,
                                               const Product& product, float* into) {
  if constexpr (Steps::kValues == 1) {
    return nullptr;
  } else {
    auto* rounded = reinterpret_cast<typename Steps::Value*>(into);
    if (product.pointwise) return rounded;
    const size_t count = a.batch * a.height * a.width;
    const size_t threads = context.parallel.threads;
    context.parallel.For(threads, [&](size_t worker) {
      for (size_t channel = worker; channel < a.inputs; channel += threads) {
        const float* from = a.Channel(channel);
        const size_t at = channel * count;
        size_t i = 0;
        for (; i + kLanes <= count; i += kLanes) Steps::StoreRow(into, at + i, Load(from + i));
        for (; i < count; ++i) rounded[at + i] = Steps::Round(from[i]);
      }
    });
    return rounded;
  }
}

/// With many columns, each thread packs and multiplies blocks of columns of its own; with few, all threads
/// pack them together, then share the weight's rows.
template <typename Steps>
inline void DenseConvolution(const Context& context, const ConvolutionArguments& a) {
  const Product product(a);
  const size_t threads = context.parallel.threads;
  const RowBlocks blocks(a, threads);
  const size_t steps = StepsOf<Steps>(product.depth);
  const ColumnBlocks columns(product, steps, threads);
  const size_t packed_values = columns.panels * steps * kColumns;
  const size_t weight_values = kWidenedPasses * kPassValues;
  const size_t worker_values = weight_values + kMaxBlockRows * columns.panels * kColumns;
  const auto panels_in = [&](size_t column_block) {
    const size_t left = product.panels - column_block * columns.panels;
    return left < columns.panels ? left : columns.panels;
  };

  const size_t inputs = RoundedValues<Steps>(a, product);
  if (columns.separate) {
    float* rounded = context.scratch.Get(inputs + threads * (packed_values + worker_values));
    const auto* x = RoundInput<Steps>(context, a, product, rounded);
    float* memory = rounded + inputs;
    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      float* values = memory + worker * (packed_values + worker_values);
      const ProductBuffers buffers{values + packed_values, values + packed_values + weight_values};
      for (size_t block; (block = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < columns.count;) {
        const PackedColumns packed{values, block * columns.panels, panels_in(block)};
        PackPanels<Steps>(a, x, product, packed.first_panel, packed.panels, 0, a.inputs, values);
        for (size_t rows = 0; rows < blocks.count; ++rows) {
          MultiplyRows<Steps>(a, product, blocks, rows, rows + 1, packed, buffers);
        }
      }
    });
    return;
  }

  float* rounded = context.scratch.Get(inputs + packed_values + threads * worker_values);
  const auto* x = RoundInput<Steps>(context, a, product, rounded);
  float* values = rounded + inputs;
  // Threads share no step.
  const auto first_input = [&](size_t worker) {
    return worker == threads ? a.inputs : a.inputs * worker / threads / Steps::kValues * Steps::kValues;
  };
  for (size_t column_block = 0; column_block < columns.count; ++column_block) {
    const PackedColumns packed{values, column_block * columns.panels, panels_in(column_block)};
    context.parallel.For(threads, [&](size_t worker) {
      PackPanels<Steps>(a, x, product, packed.first_panel, packed.panels, first_input(worker),
                        first_input(worker + 1), values);
    });
    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      float* memory = values + packed_values + worker * worker_values;
      const ProductBuffers buffers{memory, memory + weight_values};
      for (size_t rows; (rows = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < blocks.count;) {
        MultiplyRows<Steps>(a, product, blocks, rows, __atomic_load_n(&next, __ATOMIC_RELAXED), packed,
                            buffers);
      }
    });
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
