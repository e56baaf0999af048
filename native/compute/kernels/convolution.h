// Convolutions and linear layers as a product of the stored weights with packed columns.
#pragma once

#include "finish.h"
#include "pack.h"
#include "widen_rows.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Values of packed input that one thread works on at a time: half of a 1 MB second-level cache.
inline constexpr size_t kPackedValues = 128 * 1024;
inline constexpr size_t kMaxBlockRows = 4 * kRows;

/// Rows of the weight that are computed together. GEGLU takes half of them from each half of the weight's
/// rows.
struct RowBlocks {
  size_t rows, count, gate_offset;

  RowBlocks(const ConvolutionArguments& a, size_t threads) {
    const bool gated = a.activation == Activation::kGeglu;
    const size_t results = gated ? a.outputs / 2 : a.outputs;
    gate_offset = gated ? results : 0;
    // Several blocks a thread, so that no thread waits long for the last.
    const size_t groups = results / (kRows * threads * 4);
    const size_t most = gated ? 2 : 4;
    rows = kRows * (groups < 1 ? 1 : groups > most ? most : groups);
    count = (results + rows - 1) / rows;
  }
};

/// Widens columns [k, k + depth) of `rows` rows from `first` on.
inline void WidenBlock(const StoredMatrix& weight, size_t row_length, size_t first, size_t rows, size_t k,
                       size_t depth, float* into) {
  const size_t size = ValueSize(weight.dtype);
  for (size_t row = 0; row < rows; ++row) {
    WidenRun(weight.data + ((first + row) * row_length + k) * size, weight.dtype, into + row * kBlockStride,
             depth);
  }
}

/// Multiplies one block of weight rows with `panels` packed panels and finishes the results.
inline void MultiplyRows(const ConvolutionArguments& a, const Product& product, const RowBlocks& blocks,
                         size_t block, size_t first_panel, size_t panels, const float* packed, float* weights,
                         float* tile) {
  const bool gated = blocks.gate_offset != 0;
  const size_t results = gated ? a.outputs / 2 : a.outputs;
  const size_t first = block * blocks.rows;
  const size_t rows = results - first < blocks.rows ? results - first : blocks.rows;
  const size_t tile_stride = panels * kColumns;
  const size_t all_rows = gated ? 2 * rows : rows;
  const size_t pass = PassDepth(product.depth);
  for (size_t k = 0; k < product.depth; k += pass) {
    const size_t depth = product.depth - k < pass ? product.depth - k : pass;
    WidenBlock(a.weight, product.depth, first, rows, k, depth, weights);
    if (gated) {
      WidenBlock(a.weight, product.depth, blocks.gate_offset + first, rows, k, depth,
                 weights + rows * kBlockStride);
    }
    const auto rows_from = [&](size_t m) { return RowMajor<kBlockStride>{weights + m * kBlockStride}; };
    for (size_t p = 0; p < panels; ++p) {
      const size_t columns = product.columns - (first_panel + p) * kColumns;
      MultiplyPanel(all_rows, rows_from, packed + (p * product.depth + k) * kColumns, tile + p * kColumns,
                    tile_stride, depth, k > 0, columns <= kLanes);
    }
  }
  const size_t column = first_panel * kColumns;
  const size_t left = product.columns - column;
  FinishRows(a, product.columns, first, rows, column, left < tile_stride ? left : tile_stride, tile,
             tile_stride);
}

inline void DenseConvolution(const Context& context, const ConvolutionArguments& a) {
  const Product product(a);
  const size_t threads = context.parallel.threads;
  const RowBlocks blocks(a, threads);
  size_t block_panels = kPackedValues / (product.depth * kColumns);
  if (block_panels < 1) block_panels = 1;
  if (block_panels > product.panels) block_panels = product.panels;
  const size_t column_blocks = (product.panels + block_panels - 1) / block_panels;
  const size_t packed_values = block_panels * product.depth * kColumns;
  const size_t weight_values = kMaxBlockRows * kBlockStride;
  const size_t tile_values = kMaxBlockRows * block_panels * kColumns;
  const size_t worker_values = weight_values + tile_values;
  const auto panels_in = [&](size_t column_block) {
    const size_t left = product.panels - column_block * block_panels;
    return left < block_panels ? left : block_panels;
  };

  if (column_blocks >= 3 * threads) {
    // Enough columns for every thread to pack and multiply its own.
    float* memory = context.scratch.Get(threads * (packed_values + worker_values));
    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      float* packed = memory + worker * (packed_values + worker_values);
      float* weights = packed + packed_values;
      float* tile = weights + weight_values;
      for (size_t block; (block = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < column_blocks;) {
        const size_t first_panel = block * block_panels;
        const size_t panels = panels_in(block);
        PackPanels(a, product, first_panel, panels, 0, a.inputs, packed);
        for (size_t rows = 0; rows < blocks.count; ++rows) {
          MultiplyRows(a, product, blocks, rows, first_panel, panels, packed, weights, tile);
        }
      }
    });
    return;
  }

  // Few columns: all threads pack them together, then share the weight's rows.
  float* packed = context.scratch.Get(packed_values + threads * worker_values);
  for (size_t column_block = 0; column_block < column_blocks; ++column_block) {
    const size_t first_panel = column_block * block_panels;
    const size_t panels = panels_in(column_block);
    context.parallel.For(threads, [&](size_t worker) {
      const size_t begin = a.inputs * worker / threads;
      const size_t end = a.inputs * (worker + 1) / threads;
      PackPanels(a, product, first_panel, panels, begin, end, packed);
    });
    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      float* weights = packed + packed_values + worker * worker_values;
      float* tile = weights + weight_values;
      for (size_t rows; (rows = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < blocks.count;) {
        MultiplyRows(a, product, blocks, rows, first_panel, panels, packed, weights, tile);
      }
    });
  }
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
