#include "cuda/device_sampling.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

namespace latentd::cuda {
namespace {

/// Values of one prompt's latents: half of the batch where there are two.
size_t SizeOf(const Plan& plan, const SamplingSettings& settings) {
  const auto count = static_cast<size_t>(plan.program().inputs[settings.x].count);
  return settings.guided ? count / 2 : count;
}

}  // namespace

DeviceSampling::DeviceSampling(std::shared_ptr<Device> device, Plan& plan, PreparedSampler& sampler,
                               SamplingSettings settings, Report report, std::function<bool()> cancelled)
    : device_(std::move(device)),
      plan_(plan),
      sampler_(sampler),
      settings_(std::move(settings)),
      report_(std::move(report)),
      cancelled_(std::move(cancelled)),
      size_(SizeOf(plan_, settings_)),
      memory_(device_, size_),
      cond_(memory_, size_),
      uncond_(memory_, size_),
      scratch_(memory_, size_),
      reported_(sizeof(float) * size_, "reserving pinned memory for previews") {}

std::unique_lock<std::mutex> DeviceSampling::Enter() {
  std::unique_lock lock(device_->mutex);
  device_->Use();
  return lock;
}

void DeviceSampling::Run(std::vector<float>& sample, std::vector<float>& denoised) {
  struct Ending {
    DeviceSampling& run;
    ~Ending() {
      const std::lock_guard lock(run.device_->mutex);
      run.sampler_.End();
    }
  } const ending{*this};
  {
    const auto lock = Enter();
    sampling_ = &sampler_.Begin(memory_);
    if (sampling_->x.size() != size_) throw std::runtime_error("the sampler's latent isn't the network's");
  }
  do {
    Deliver();
    if (cancelled_()) throw std::runtime_error("sampling was cancelled");
  } while (Advance());
  const auto lock = Enter();
  sample.resize(size_);
  sampling_->x.Read(sample);
  if (reported_steps_ == 0) return;
  denoised.resize(size_);
  sampling_->reported().Read(denoised);
}

bool DeviceSampling::Advance() {
  const auto lock = Enter();
  const Evaluation* const evaluation = sampling_->pending();
  if (evaluation == nullptr) return false;
  global_draws_ = sampling_->global_draws();
  Evaluate(*evaluation);
  sampling_->Answered();
  // Noise that is drawn now is drawn while the card computes.
  sampler_.Resume();
  if (sampling_->reported_steps() != reported_steps_) CopyReport();
  return true;
}

void DeviceSampling::Evaluate(const Evaluation& evaluation) {
  GiveConstants();
  GiveNoised(evaluation);
  EmbedTimestep(evaluation.sigma);
  plan_.Start();
  const float* const out = plan_.Output(settings_.out);
  if (!settings_.guided) {
    Predict(evaluation, out, *evaluation.denoised);
    return;
  }
  Predict(evaluation, out, uncond_);
  Predict(evaluation, out + size_, cond_);
  // uncond + cfg·(cond − uncond)
  scratch_ = cond_ - uncond_;
  *evaluation.denoised = uncond_ + settings_.cfg * scratch_;
  if (evaluation.uncond_denoised != nullptr) *evaluation.uncond_denoised = uncond_;
}

void DeviceSampling::GiveConstants() {
  // Another run with inputs of its own may have come between.
  if (plan_.holder() == this) return;
  for (const auto& [port, input] : settings_.constants) plan_.Give(port, input);
  plan_.Hold(this);
}

void DeviceSampling::GiveNoised(const Evaluation& evaluation) {
  const float sigma = evaluation.sigma;
  const float deviation = std::sqrt(sigma * sigma + settings_.sigma_data * settings_.sigma_data);
  for (size_t part = 0; part < (settings_.guided ? 2 : 1); ++part) {
    memory_.Divide(evaluation.x->data(), deviation, plan_.Input(settings_.x) + part * size_, size_);
  }
}

/// src/models/unet/timestep-embedding.ts
void DeviceSampling::EmbedTimestep(float sigma) {
  const Program& program = plan_.program();
  const auto rows = static_cast<size_t>(program.inputs[settings_.time_embedding].rows);
  const size_t width = static_cast<size_t>(program.inputs[settings_.time_embedding].count) / rows;
  const size_t half = width / 2;
  const float timestep = sampler_.Timestep(sigma);
  const float scale = static_cast<float>(-std::log(10000.0));
  std::vector<float> embedding(rows * width);
  for (size_t i = 0; i < half; ++i) {
    const float exponent = scale * static_cast<float>(i) / static_cast<float>(half);
    const float angle = timestep * static_cast<float>(std::exp(static_cast<double>(exponent)));
    for (size_t row = 0; row < rows; ++row) {
      embedding[row * width + i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      embedding[row * width + half + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  plan_.Give(settings_.time_embedding, {embedding.data(), embedding.size()});
}

/// src/sampling/prediction.ts, denoisedFrom
void DeviceSampling::Predict(const Evaluation& evaluation, const float* output, Latent& into) {
  const Term out{1, output};
  const float sigma = evaluation.sigma;
  switch (settings_.prediction) {
    case Prediction::kDenoised:
      into = out;
      return;
    case Prediction::kEpsilon:
      into = *evaluation.x + Term{-sigma, output};
      return;
    default:
      break;
  }
  // x·σd²/(σ² + σd²) ± output·σ·σd/√(σ² + σd²)
  const float data = settings_.sigma_data;
  const float variance = data * data;
  const float total = sigma * sigma + variance;
  scratch_ = variance * *evaluation.x;
  scratch_ = scratch_ / total;
  into = Term{sigma, output};
  into = data * into;
  into = into / std::sqrt(total);
  into = settings_.prediction == Prediction::kV ? scratch_ - into : scratch_ + into;
}

void DeviceSampling::CopyReport() {
  reported_steps_ = sampling_->reported_steps();
  Check(cudaMemcpyAsync(reported_.data(), sampling_->reported().data(), reported_.size(),
                        cudaMemcpyDeviceToHost, device_->stream()),
        "copying a prediction from the card");
  reported_event_.Record(device_->stream());
}

void DeviceSampling::Deliver() {
  if (delivered_steps_ == reported_steps_) return;
  reported_event_.Wait();
  delivered_steps_ = reported_steps_;
  std::vector<float> denoised(size_);
  std::memcpy(denoised.data(), reported_.data(), reported_.size());
  report_(delivered_steps_, sampling_->steps(), std::move(denoised));
}

}  // namespace latentd::cuda
