#include "lora/matrix_product.h"

#include <algorithm>
#include <vector>

#include "parallel.h"

namespace latentd {
namespace {

// A tile of the result stays in registers while the inner extent is summed: 4×32 floats are 8 registers of
// AVX-512, 16 of AVX2.
constexpr size_t kTileRows = 4;
constexpr size_t kTileColumns = 32;
// Multiplications below which a second thread costs more than it saves.
constexpr size_t kGrainWork = size_t{1} << 20;

// Sums are rounded once a step, by fused multiplication and addition in the order of `inner`, as the BLAS
// libraries under torch do it: text encoders are rounded to float16 afterwards, where a last bit decides
// ties. `panel` holds `inner` rows of kTileColumns; `into` and `a` have `row_stride` and `inner` floats a
// row. The tile is kTileRows × kTileColumns, or less at the right and lower edges.
template <bool kFused>
[[gnu::always_inline]] inline void AddTileOf(float* into, size_t row_stride, size_t rows, size_t columns,
                                             const float* a, const float* panel, size_t inner, float scale) {
  const auto step = [](float x, float y, float sum) {
    if constexpr (kFused) return __builtin_fmaf(x, y, sum);
    return sum + x * y;
  };
  if (rows == kTileRows && columns == kTileColumns) {
    float sums[kTileRows][kTileColumns] = {};
    for (size_t i = 0; i < inner; ++i) {
      for (size_t r = 0; r < kTileRows; ++r) {
        const float factor = a[r * inner + i];
        for (size_t c = 0; c < kTileColumns; ++c) {
          sums[r][c] = step(factor, panel[i * kTileColumns + c], sums[r][c]);
        }
      }
    }
    for (size_t r = 0; r < kTileRows; ++r) {
      for (size_t c = 0; c < kTileColumns; ++c) into[r * row_stride + c] += scale * sums[r][c];
    }
    return;
  }
  for (size_t r = 0; r < rows; ++r) {
    float sums[kTileColumns] = {};
    for (size_t i = 0; i < inner; ++i) {
      const float factor = a[r * inner + i];
      for (size_t c = 0; c < kTileColumns; ++c) {
        sums[c] = step(factor, panel[i * kTileColumns + c], sums[c]);
      }
    }
    for (size_t c = 0; c < columns; ++c) into[r * row_stride + c] += scale * sums[c];
  }
}

using AddTileFunction = void (*)(float*, size_t, size_t, size_t, const float*, const float*, size_t, float);

#if defined(__x86_64__)
[[gnu::target("arch=x86-64-v4")]] void AddTileV4(float* into, size_t row_stride, size_t rows, size_t columns,
                                                 const float* a, const float* panel, size_t inner,
                                                 float scale) {
  AddTileOf<true>(into, row_stride, rows, columns, a, panel, inner, scale);
}

[[gnu::target("arch=x86-64-v3")]] void AddTileV3(float* into, size_t row_stride, size_t rows, size_t columns,
                                                 const float* a, const float* panel, size_t inner,
                                                 float scale) {
  AddTileOf<true>(into, row_stride, rows, columns, a, panel, inner, scale);
}
#endif

AddTileFunction ChooseAddTile() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return AddTileV4;
  if (__builtin_cpu_supports("x86-64-v3")) return AddTileV3;
  // Without the instruction a fused step is a call, some fifty times as slow.
  return AddTileOf<false>;
#else
  return AddTileOf<true>;
#endif
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
  static const AddTileFunction add_tile = ChooseAddTile();
  for (size_t column = 0; column < columns; column += kTileColumns, panel += inner * kTileColumns) {
    const size_t width = std::min(kTileColumns, columns - column);
    for (size_t row = 0; row < rows; row += kTileRows) {
      const size_t height = std::min(kTileRows, rows - row);
      add_tile(into + row * columns + column, columns, height, width, a + row * inner, panel, inner, scale);
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
