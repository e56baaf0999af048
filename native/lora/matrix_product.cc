#include "lora/matrix_product.h"

#include <algorithm>
#include <vector>

#include "parallel.h"

// One copy of the kernel per instruction set, chosen when the addon is loaded. Elsewhere (NEON) the baseline
// has FMA.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define LATENTD_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LATENTD_VECTOR_CLONES
#endif

namespace latentd {
namespace {

// A tile of the result stays in registers while the inner extent is summed: 4×32 floats are 8 registers of
// AVX-512, 16 of AVX2.
constexpr size_t kTileRows = 4;
constexpr size_t kTileColumns = 32;
// Multiplications below which a second thread costs more than it saves.
constexpr size_t kGrainWork = size_t{1} << 20;

// `panel` holds `inner` rows of kTileColumns; `into` and `a` have `row_stride` and `inner` floats a row.
LATENTD_VECTOR_CLONES void AddTile(float* into, size_t row_stride, const float* a, const float* panel,
                                   size_t inner, float scale) {
  float sums[kTileRows][kTileColumns] = {};
  for (size_t i = 0; i < inner; ++i) {
    for (size_t r = 0; r < kTileRows; ++r) {
      const float factor = a[r * inner + i];
      for (size_t c = 0; c < kTileColumns; ++c) sums[r][c] += factor * panel[i * kTileColumns + c];
    }
  }
  for (size_t r = 0; r < kTileRows; ++r) {
    for (size_t c = 0; c < kTileColumns; ++c) into[r * row_stride + c] += scale * sums[r][c];
  }
}

// The same for what is left at the right and lower edges.
void AddEdge(float* into, size_t row_stride, size_t tile_rows, size_t tile_columns, const float* a,
             const float* panel, size_t inner, float scale) {
  for (size_t r = 0; r < tile_rows; ++r) {
    float sums[kTileColumns] = {};
    for (size_t i = 0; i < inner; ++i) {
      const float factor = a[r * inner + i];
      for (size_t c = 0; c < kTileColumns; ++c) sums[c] += factor * panel[i * kTileColumns + c];
    }
    for (size_t c = 0; c < tile_columns; ++c) into[r * row_stride + c] += scale * sums[c];
  }
}

// b in panels of kTileColumns columns, each contiguous and read once a row of tiles; the last is padded with
// zeros.
std::vector<float> PackPanels(const float* b, size_t inner, size_t columns) {
  const size_t panels = (columns + kTileColumns - 1) / kTileColumns;
  std::vector<float> packed(panels * inner * kTileColumns);
  float* panel_row = packed.data();
  for (size_t column = 0; column < columns; column += kTileColumns) {
    const size_t width = std::min(kTileColumns, columns - column);
    for (size_t i = 0; i < inner; ++i, panel_row += kTileColumns) {
      std::copy_n(b + i * columns + column, width, panel_row);
    }
  }
  return packed;
}

void AddRows(float* into, const float* a, const float* panel, size_t rows, size_t inner, size_t columns,
             float scale) {
  for (size_t column = 0; column < columns; column += kTileColumns, panel += inner * kTileColumns) {
    const size_t width = std::min(kTileColumns, columns - column);
    for (size_t row = 0; row < rows; row += kTileRows) {
      const size_t height = std::min(kTileRows, rows - row);
      float* const tile = into + row * columns + column;
      if (height == kTileRows && width == kTileColumns) {
        AddTile(tile, columns, a + row * inner, panel, inner, scale);
      } else {
        AddEdge(tile, columns, height, width, a + row * inner, panel, inner, scale);
      }
    }
  }
}

}  // namespace

void AddProduct(float* into, const float* a, const float* b, size_t rows, size_t inner, size_t columns,
                float scale) {
  const std::vector<float> packed = PackPanels(b, inner, columns);
  const float* const panels = packed.data();
  const size_t work_per_row = std::max<size_t>(inner * columns, 1);
  const size_t grain = std::max<size_t>(kGrainWork / work_per_row, kTileRows);
  ParallelFor(rows, grain, [=](size_t begin, size_t end) {
    AddRows(into + begin * columns, a + begin * inner, panels, end - begin, inner, columns, scale);
  });
}

}  // namespace latentd
