// A sampler and a denoiser's plan that run on the card together, without JavaScript between evaluations.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/latents.h"
#include "cuda/plan.h"
#include "samplers/prepared_sampler.h"

namespace latentd::cuda {

/// What the network's output means (src/sampling/prediction.ts).
enum class Prediction { kEpsilon, kV, kEdm, kDenoised };

struct SamplingSettings {
  Prediction prediction = Prediction::kEpsilon;
  /// Standard deviation of the data.
  float sigma_data = 1;
  /// Of classifier-free guidance, where `guided`: the batch's first half is without the prompt.
  float cfg = 1;
  bool guided = false;
  /// Ports of the plan.
  size_t x = 0, time_embedding = 0, out = 0;
  /// For every other input; they stay the same.
  std::vector<std::pair<size_t, HostInput>> constants;
};

class DeviceSampling {
 public:
  /// Steps that are done, and the last prediction.
  using Report = std::function<void(int step, int steps, std::vector<float> denoised)>;

  /// `cancelled` is looked at before each evaluation.
  DeviceSampling(std::shared_ptr<Device> device, Plan& plan, PreparedSampler& sampler,
                 SamplingSettings settings, Report report, std::function<bool()> cancelled);

  /// How often torch's global generator was drawn on before the last evaluation.
  int global_draws() const { return global_draws_; }

  /// The sample, and the last prediction, empty where there was none. Takes the device's mutex for an
  /// evaluation at a time. Throws what the sampler throws, and `std::runtime_error` when it was cancelled.
  void Run(std::vector<float>& sample, std::vector<float>& denoised);

 private:
  /// Where a thread works on the card.
  std::unique_lock<std::mutex> Enter();
  /// One evaluation, and what the sampler makes of it; false when the sampler is done.
  bool Advance();
  void Evaluate(const Evaluation& evaluation);
  void GiveConstants();
  void GiveNoised(const Evaluation& evaluation);
  void EmbedTimestep(float sigma);
  /// The denoised prediction that a prompt's part of the network's output means.
  void Predict(const Evaluation& evaluation, const float* output, Latent& into);
  void CopyReport();
  /// Tells of the last finished step once the card is there.
  void Deliver();

  std::shared_ptr<Device> device_;
  Plan& plan_;
  PreparedSampler& sampler_;
  SamplingSettings settings_;
  Report report_;
  std::function<bool()> cancelled_;
  /// Values of a latent.
  size_t size_;
  DeviceLatents memory_;
  Latent cond_, uncond_, scratch_;
  Sampling* sampling_ = nullptr;
  PinnedMemory reported_;
  Event reported_event_;
  int global_draws_ = 0;
  int reported_steps_ = 0, delivered_steps_ = 0;
};

}  // namespace latentd::cuda
