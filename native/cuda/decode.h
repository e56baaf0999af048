// Programs and weights as JavaScript hands them over (src/compute/cuda/encode.ts), checked as far as memory
// goes.
#pragma once

#include <napi.h>

#include <vector>

#include "cuda/program.h"
#include "cuda/weights.h"

namespace latentd::cuda {

/// `weights` are how many the program may name. Throws a JavaScript error for anything out of place.
Program DecodeProgram(const Napi::Object& value, size_t weights);

struct DecodedWeights {
  std::vector<WeightEntry> entries;
  /// What must not be collected as long as the values are read.
  std::vector<Napi::Reference<Napi::Value>> kept;
};

DecodedWeights DecodeWeights(const Napi::Value& value);

}  // namespace latentd::cuda
