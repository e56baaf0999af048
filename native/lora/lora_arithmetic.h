// Elementwise arithmetic of LoRAs on whole weights, in float32 as torch does it, on several threads.
#pragma once

#include <cstddef>
#include <span>

namespace latentd {

/// into += factor · change
void AddScaled(std::span<float> into, const float* change, float factor);

/// into *= other
void MultiplyElements(std::span<float> into, const float* other);

/// into = a ⊗ b for row-major matrices; `into` has a_rows · b_rows rows.
void Kronecker(float* into, const float* a, size_t a_rows, size_t a_columns, const float* b, size_t b_rows,
               size_t b_columns);

/// A weight as groups × extent × inner; magnitudes belong to the middle axis.
struct DecompositionShape {
  size_t groups;
  size_t extent;
  size_t inner;
};

/// DoRA: the sum of `values` and scale · change is rescaled along the middle axis from its norms there (or,
/// with `norms_of_values`, from those of the unchanged values) to `magnitudes`, and replaces `values` to the
/// share `strength`. `change` is used up.
void Decompose(float* values, float* change, const float* magnitudes, DecompositionShape shape,
               bool norms_of_values, float scale, float strength);

}  // namespace latentd
