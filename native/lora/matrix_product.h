// Products of a tall and a wide matrix, as LoRAs multiply theirs: a short inner extent, a large result.
#pragma once

#include <cstddef>

namespace latentd {

/// into[r][c] += scale · Σ_i a[r][i] · b[i][c], all row-major float32, on several threads when it is large.
/// The sum is rounded before it is scaled.
void AddProduct(float* into, const float* a, const float* b, size_t rows, size_t inner, size_t columns,
                float scale);

}  // namespace latentd
