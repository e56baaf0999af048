// Our kernels as operators of the ONNX domain `latentd`, for one model's session.
#pragma once

#include <memory>
#include <vector>

#include "compute/kernels.h"
#include "onnx/ort_api.h"

namespace latentd::onnx {

/// A weight that operators refer to by its place in the model's table.
struct Weight {
  compute::StoredMatrix values;
  size_t count;
  /// Whatever keeps the values in memory.
  std::shared_ptr<const void> owner;
};

struct Model;

/// ORT's description of an operator, with the model behind it: ORT hands the structure back to every
/// callback.
struct ModelOperator : OrtCustomOp {
  const Model* model = nullptr;
};

/// What a model's operators share.
struct Model {
  std::vector<Weight> weights;
  size_t threads = 1;
  const compute::Kernels* kernels = nullptr;
  /// Set while the model runs.
  compute::Scratch* scratch = nullptr;
  /// ORT keeps their addresses for as long as the session lives.
  std::vector<std::unique_ptr<ModelOperator>> operators;
};

/// Describes every operator to `domain`; their kernels use `model`, which must outlive the session.
void AddOperators(Model& model, OrtCustomOpDomain* domain);

}  // namespace latentd::onnx
