// 3×3 convolutions at stride 1 by Winograd's transform, in tiles of 2×2 or 4×4 results.
#pragma once

#include "compute/kernels/weight_rows.h"
#include "compute/kernels/winograd_input.h"
#include "compute/kernels/winograd_output.h"
#include "compute/kernels/winograd_weights.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline bool WinogradApplies(const ConvolutionArguments& a) {
  return a.kernel_height == 3 && a.kernel_width == 3 && a.stride == 1 && a.activation != Activation::kGeglu &&
         a.inputs >= 16 && Tiles(a, SmallTiles::kTile).count >= kLanes;
}

inline size_t Largest(size_t a, size_t b) { return a > b ? a : b; }

/// With few tiles, transforming the weights is the work that counts: it is done block by block, in the cache,
/// for all tiles at once, and threads share the weight's rows.
template <typename Scheme>
inline void WinogradFewTiles(const Context& context, const ConvolutionArguments& a, const Tiles& tiles) {
  // A good part of a third-level cache.
  constexpr size_t kTransformedValues = 4 * 1024 * 1024;
  const size_t threads = context.parallel.threads;
  const size_t most_panels = Largest(kTransformedValues / (Scheme::kPositions * a.inputs * kColumns), 1);
  const size_t block_count = (tiles.panels + most_panels - 1) / most_panels;
  const size_t block_panels = (tiles.panels + block_count - 1) / block_count;
  const size_t block_columns = block_panels * kColumns;

  const size_t width = InputBuffers<Scheme>::Width(tiles, block_columns);
  const size_t weight_values = Scheme::kPositions * Scheme::kBlockRows * Scheme::kStride;
  const size_t sum_values = Scheme::kPositions * Scheme::kBlockRows * block_columns;
  const size_t worker_values =
      Largest(InputBuffers<Scheme>::Values(width, block_columns),
              weight_values + sum_values + Scheme::kTile * Scheme::kTile * block_columns);
  const size_t transformed_values = Scheme::kPositions * block_columns * a.inputs;
  float* memory = context.scratch.Get(transformed_values + threads * worker_values);
  const auto worker_memory = [&](size_t worker) {
    return memory + transformed_values + worker * worker_values;
  };

  // The fewer the sums, the more weights fit beside them in the second-level cache.
  const size_t most_rows = block_panels <= 2 ? Scheme::kBlockRows : Scheme::kBlockRows - kRows;
  const size_t block_rows = EvenRows(a.outputs, most_rows, threads);
  const size_t row_blocks = (a.outputs + block_rows - 1) / block_rows;
  const size_t pass = EvenDepth(a.inputs, Scheme::kBlockDepth);
  for (size_t first_panel = 0; first_panel < tiles.panels; first_panel += block_panels) {
    const TileBlock block(tiles, first_panel, block_panels, a.inputs, memory);
    context.parallel.For(threads, [&](size_t worker) {
      TransformInput<Scheme>(a, tiles, block, a.inputs * worker / threads, a.inputs * (worker + 1) / threads,
                             InputBuffers<Scheme>(worker_memory(worker), width, block_columns));
    });
    size_t next = 0;
    context.parallel.For(threads, [&](size_t worker) {
      const TransformedRows<Scheme> weights{worker_memory(worker), Scheme::kBlockRows * Scheme::kStride};
      float* sums = weights.values + weight_values;
      float* pixels = sums + sum_values;
      const size_t columns = block.panels * kColumns;
      for (size_t row_block; (row_block = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < row_blocks;) {
        const auto kernels_of = [&](size_t index) {
          const size_t first = (index < row_blocks ? index : row_block) * block_rows;
          const size_t rows = a.outputs - first < block_rows ? a.outputs - first : block_rows;
          return WeightRows{a.weight, a.inputs * 9, first, rows, 0};
        };
        const WeightRows kernels = kernels_of(row_block);
        const WeightRows next_kernels = kernels_of(__atomic_load_n(&next, __ATOMIC_RELAXED));
        const size_t first = kernels.first;
        const size_t rows = kernels.rows;
        const size_t steps = Scheme::kPositions * block.panels * ((rows + kRows - 1) / kRows);
        for (size_t k = 0; k < a.inputs; k += pass) {
          const size_t depth = a.inputs - k < pass ? a.inputs - k : pass;
          TransformWeights(a.weight, a.inputs, first, rows, k, depth, weights);
          FetchAhead ahead = k + depth == a.inputs ? FetchAhead(next_kernels, 0, pass * 9, steps)
                                                   : FetchAhead(kernels, (k + depth) * 9, pass * 9, steps);
          for (size_t position = 0; position < Scheme::kPositions; ++position) {
            const auto rows_from = [&](size_t m) {
              ahead.Step();
              return RowMajor<Scheme::kStride>{weights.At(position, m)};
            };
            for (size_t p = 0; p < block.panels; ++p) {
              MultiplyPanel<Singles>(
                  rows, rows_from,
                  block.values + position * block.position_stride + (p * a.inputs + k) * kColumns,
                  sums + position * Scheme::kBlockRows * columns + p * kColumns, columns, depth, k > 0,
                  block.count - p * kColumns <= kLanes, nullptr);
            }
          }
        }
        for (size_t row = 0; row < rows; ++row) {
          FinishChannel<Scheme>(a, tiles, block, first + row, sums + row * columns,
                                Scheme::kBlockRows * columns, pixels);
        }
      }
    });
  }
}

/// With many tiles, the weights are transformed once, and each thread takes blocks of tiles through all of
/// them.
template <typename Scheme>
inline void WinogradManyTiles(const Context& context, const ConvolutionArguments& a, const Tiles& tiles) {
  constexpr size_t kMostPanels = 4;
  constexpr size_t kRowsTogether = 4 * kRows;
  const size_t threads = context.parallel.threads;
  const size_t share = Largest(tiles.panels / (threads * 4), 1);
  const size_t block_panels = share < kMostPanels ? share : kMostPanels;
  const size_t block_count = (tiles.panels + block_panels - 1) / block_panels;
  const size_t block_columns = block_panels * kColumns;

  const size_t pass = EvenDepth(a.inputs, Scheme::kBlockDepth);
  const size_t passes = (a.inputs + pass - 1) / pass;
  const size_t pass_values = a.outputs * Scheme::kStride;
  const size_t weight_values = Scheme::kPositions * passes * pass_values;
  const size_t width = InputBuffers<Scheme>::Width(tiles, block_columns);
  const size_t transformed_values = Scheme::kPositions * a.inputs * block_columns;
  const size_t sum_values = Scheme::kPositions * a.outputs * block_columns;
  const size_t worker_values =
      transformed_values + Largest(InputBuffers<Scheme>::Values(width, block_columns),
                                   sum_values + Scheme::kTile * Scheme::kTile * block_columns);
  float* memory = context.scratch.Get(weight_values + threads * worker_values);
  const auto weights_of = [&](size_t k, size_t row) {
    return TransformedRows<Scheme>{memory + k / pass * pass_values + row * Scheme::kStride,
                                   passes * pass_values};
  };

  size_t next_rows = 0;
  context.parallel.For(threads, [&](size_t) {
    constexpr size_t kRowsAtATime = 8;
    for (size_t row; (row = __atomic_fetch_add(&next_rows, kRowsAtATime, __ATOMIC_RELAXED)) < a.outputs;) {
      const size_t rows = a.outputs - row < kRowsAtATime ? a.outputs - row : kRowsAtATime;
      for (size_t k = 0; k < a.inputs; k += pass) {
        const size_t depth = a.inputs - k < pass ? a.inputs - k : pass;
        TransformWeights(a.weight, a.inputs, row, rows, k, depth, weights_of(k, row));
      }
    }
  });

  size_t next_block = 0;
  context.parallel.For(threads, [&](size_t worker) {
    float* values = memory + weight_values + worker * worker_values;
    float* sums = values + transformed_values;
    for (size_t index; (index = __atomic_fetch_add(&next_block, 1, __ATOMIC_RELAXED)) < block_count;) {
      const TileBlock block(tiles, index * block_panels, block_panels, a.inputs, values);
      const size_t columns = block.panels * kColumns;
      TransformInput<Scheme>(a, tiles, block, 0, a.inputs, InputBuffers<Scheme>(sums, width, block_columns));
      for (size_t position = 0; position < Scheme::kPositions; ++position) {
        for (size_t first = 0; first < a.outputs; first += kRowsTogether) {
          const size_t rows = a.outputs - first < kRowsTogether ? a.outputs - first : kRowsTogether;
          for (size_t k = 0; k < a.inputs; k += pass) {
            const size_t depth = a.inputs - k < pass ? a.inputs - k : pass;
            const TransformedRows<Scheme> weights = weights_of(k, first);
            const auto rows_from = [&](size_t m) {
              return RowMajor<Scheme::kStride>{weights.At(position, m)};
            };
            for (size_t p = 0; p < block.panels; ++p) {
              MultiplyPanel<Singles>(
                  rows, rows_from,
                  block.values + position * block.position_stride + (p * a.inputs + k) * kColumns,
                  sums + (position * a.outputs + first) * columns + p * kColumns, columns, depth, k > 0,
                  block.count - p * kColumns <= kLanes, nullptr);
            }
          }
        }
      }
      for (size_t channel = 0; channel < a.outputs; ++channel) {
        FinishChannel<Scheme>(a, tiles, block, channel, sums + channel * columns, a.outputs * columns,
                              sums + sum_values);
      }
    }
  });
}

template <typename Scheme>
inline void WinogradConvolution(const Context& context, const ConvolutionArguments& a) {
  const Tiles tiles(a, Scheme::kTile);
  const bool many = tiles.panels >= 8 * context.parallel.threads &&
                    Scheme::kPositions * a.inputs * a.outputs <= Scheme::kMostTransformed;
  if (many) {
    WinogradManyTiles<Scheme>(context, a, tiles);
  } else {
    WinogradFewTiles<Scheme>(context, a, tiles);
  }
}

/// Whether tiles of 4×4 take at most three quarters of the products that those of 2×2 take.
inline bool LargeTilesApply(const ConvolutionArguments& a) {
  const auto products = [](size_t positions, const Tiles& tiles) {
    return positions * ((tiles.count + kLanes - 1) / kLanes);
  };
  return products(LargeTiles::kPositions, Tiles(a, LargeTiles::kTile)) * 4 <
         products(SmallTiles::kPositions, Tiles(a, SmallTiles::kTile)) * 3;
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
