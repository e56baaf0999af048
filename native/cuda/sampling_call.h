// What JavaScript asks of a sampling on the card.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "cuda/arrays.h"
#include "cuda/device_sampling.h"

namespace latentd::cuda {

/// What `sample` was given, kept until it is done.
struct SamplingCall {
  SamplingSettings settings;
  Kept kept;
  std::unique_ptr<PreparedSampler> sampler;
  const int32_t* cancelled = nullptr;
  Napi::ThreadSafeFunction report;
  std::vector<float> sample, denoised;
  /// How often `report` was called, or will be.
  int reports = 0;
  int global_draws = 0;

  void Report(int step, int steps, std::vector<float> values);
};

/// `sampler` and `settings`: src/native/cuda-addon.ts, CudaModel.sample. Throws a JavaScript error for
/// anything out of place.
std::shared_ptr<SamplingCall> ReadSampling(const Napi::Object& sampler, const Napi::Object& settings,
                                           const Program& program);

}  // namespace latentd::cuda
