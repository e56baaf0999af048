#include "lora/lora_arithmetic.h"

#include <cmath>
#include <limits>
#include <vector>

#include "parallel.h"

namespace latentd {
namespace {

// Below this many values a second thread costs more than it saves.
constexpr size_t kGrain = size_t{1} << 18;

/// Calls `body(first, index, count, length)` for runs of elements from `first` on that are `count` indices of
/// the middle axis, `length` elements each.
template <typename Body>
void ForRuns(const DecompositionShape& shape, size_t begin, size_t end, const Body& body) {
  for (size_t group = 0; group < shape.groups; ++group) {
    body((group * shape.extent + begin) * shape.inner, begin, end - begin, shape.inner);
  }
}

void AddAndSquare(const float* values, float* change, double* squares, size_t count, size_t length,
                  bool norms_of_values, float scale) {
  const float* const normed = norms_of_values ? values : change;
  for (size_t i = 0; i < count * length; ++i) change[i] = values[i] + scale * change[i];
  if (length == 1) {
    for (size_t index = 0; index < count; ++index) {
      squares[index] += static_cast<double>(normed[index]) * normed[index];
    }
    return;
  }
  for (size_t index = 0; index < count; ++index) {
    double sum = 0;
    for (size_t i = 0; i < length; ++i) {
      const double value = normed[index * length + i];
      sum += value * value;
    }
    squares[index] += sum;
  }
}

void Rescale(float* values, const float* change, const float* ratios, size_t count, size_t length,
             float strength) {
  if (length == 1) {
    for (size_t i = 0; i < count; ++i) {
      const float decomposed = change[i] * ratios[i];
      values[i] = strength == 1.0f ? decomposed : values[i] + strength * (decomposed - values[i]);
    }
    return;
  }
  for (size_t index = 0; index < count; ++index) {
    for (size_t i = index * length; i < (index + 1) * length; ++i) {
      const float decomposed = change[i] * ratios[index];
      values[i] = strength == 1.0f ? decomposed : values[i] + strength * (decomposed - values[i]);
    }
  }
}

}  // namespace

void AddScaled(std::span<float> into, const float* change, float factor) {
  float* const values = into.data();
  ParallelFor(into.size(), kGrain, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) values[i] += factor * change[i];
  });
}

void MultiplyElements(std::span<float> into, const float* other) {
  float* const values = into.data();
  ParallelFor(into.size(), kGrain, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) values[i] *= other[i];
  });
}

void Kronecker(float* into, const float* a, size_t a_rows, size_t a_columns, const float* b, size_t b_rows,
               size_t b_columns) {
  const size_t columns = a_columns * b_columns;
  const size_t grain = columns == 0 ? 1 : kGrain / columns + 1;
  ParallelFor(a_rows * b_rows, grain, [=](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const float* const a_row = a + row / b_rows * a_columns;
      const float* const b_row = b + row % b_rows * b_columns;
      for (size_t j = 0; j < a_columns; ++j) {
        float* const to = into + row * columns + j * b_columns;
        const float factor = a_row[j];
        for (size_t q = 0; q < b_columns; ++q) to[q] = factor * b_row[q];
      }
    }
  });
}

void Decompose(float* values, float* change, const float* magnitudes, DecompositionShape shape,
               bool norms_of_values, float scale, float strength) {
  std::vector<double> squares(shape.extent);
  std::vector<float> rescale(shape.extent);
  const size_t slice = shape.groups * shape.inner;
  const size_t grain = slice == 0 ? 1 : kGrain / slice + 1;
  // Each thread has its own indices of the middle axis, for all groups.
  ParallelFor(shape.extent, grain, [&](size_t begin, size_t end) {
    ForRuns(shape, begin, end, [&](size_t first, size_t index, size_t count, size_t length) {
      AddAndSquare(values + first, change + first, squares.data() + index, count, length, norms_of_values,
                   scale);
    });
    for (size_t index = begin; index < end; ++index) {
      const float norm =
          static_cast<float>(std::sqrt(squares[index])) + std::numeric_limits<float>::epsilon();
      rescale[index] = magnitudes[index] / norm;
    }
    ForRuns(shape, begin, end, [&](size_t first, size_t index, size_t count, size_t length) {
      Rescale(values + first, change + first, rescale.data() + index, count, length, strength);
    });
  });
}

}  // namespace latentd
