// A lowered program as the engine holds it (src/compute/cuda/program.ts).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/kernels/kernels.h"

namespace latentd::cuda {

enum class Element : int { kHalf, kFloat, kInt };

/// A matrix in the arena; `rows` 0 for none.
struct View {
  /// Bytes from the arena's start to the first number.
  int64_t offset = 0;
  int64_t stride = 0;
  int rows = 0;
  int columns = 0;
  Element element = Element::kHalf;
};

enum class Kind : int {
  kImport,
  kExport,
  kProduct,
  kGroupNorm,
  kLayerNorm,
  kAttention,
  kElementwise,
  kMeanMap,
  kLowFrequencies,
};

/// One of them; what a kind has no use for is left as it is here.
struct Instruction {
  Kind kind = Kind::kElementwise;
  std::string layer;
  View x, other, out, residual, sums, scratch, key, value;
  int port = -1;
  int pixels = 1;
  int weight = -1;
  int bias = -1;
  Activation activation = Activation::kNone;
  Window window{};
  Elementwise operation = Elementwise::kCopy;
  int batch = 1, heads = 1, groups = 1, parts = 1, period = 1;
  int height = 0, width = 0, out_height = 0, out_width = 0;
  float epsilon = 0, factor = 1;
  bool silu = false, causal = false;
};

struct Port {
  std::string name;
  int64_t count = 0;
  /// Its first extent.
  int64_t rows = 1;
  bool integer = false;
};

struct Program {
  std::vector<Instruction> instructions;
  std::vector<Port> inputs, outputs;
  int64_t arena_bytes = 0;
};

struct PlacedWeight {
  /// Padding to a multiple of 8 included.
  int rows = 0;
  int columns = 1;
};

}  // namespace latentd::cuda
