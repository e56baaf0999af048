// What a sampler works with, and the coroutine that it is.
#pragma once

#include <coroutine>
#include <exception>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "samplers/latent.h"
#include "samplers/noise.h"
#include "samplers/options.h"

namespace latentd {

/// A sampler that runs until it needs the denoiser, and again when the answer is there.
class SamplerTask {
 public:
  struct promise_type {
    SamplerTask get_return_object() {
      return SamplerTask(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }

    std::exception_ptr error;
  };

  SamplerTask(SamplerTask&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  SamplerTask(const SamplerTask&) = delete;
  SamplerTask& operator=(const SamplerTask&) = delete;
  SamplerTask& operator=(SamplerTask&&) = delete;
  ~SamplerTask() {
    if (handle_) handle_.destroy();
  }

  bool done() const { return handle_.done(); }

  /// Runs to the next evaluation or to the end; throws what the sampler threw.
  void Resume() {
    handle_.resume();
    if (handle_.promise().error) std::rethrow_exception(std::exchange(handle_.promise().error, nullptr));
  }

 private:
  explicit SamplerTask(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

/// A question to the denoiser: what is `x` without its noise of level `sigma`?
struct Evaluation {
  const Latent* x;
  float sigma;
  /// Where the answer goes.
  Latent* denoised;
  /// Where the unconditional half of it goes; null where a sampler doesn't need it.
  Latent* uncond_denoised;
};

/// Sigmas between which SA-Solver adds noise.
struct SigmaInterval {
  double start;
  double end;
};

/// One run of a sampler: its start and its schedule, and what it may ask for.
class Sampling {
 public:
  struct Setup {
    size_t size;
    std::vector<float> sigmas;
    SamplerOptions options;
    /// The model is a rectified flow: x = (1 − sigma)·latent + sigma·noise.
    bool flow = false;
    /// 20 % to 80 % of the model's schedule: SA-Solver's stochastic part unless options say otherwise.
    SigmaInterval stochastic;
    std::unique_ptr<NoiseSampler> noise;
    /// torch's global generator, on which `randn_like` draws.
    std::unique_ptr<NoiseSampler> global_noise;
  };

  Sampling(LatentMemory& memory, Setup setup)
      : memory_(memory),
        setup_(std::move(setup)),
        x(memory, setup_.size),
        noise_(memory, setup_.size),
        reported_(memory, setup_.size) {}

 private:
  LatentMemory& memory_;
  Setup setup_;

 public:
  const std::vector<float>& sigmas = setup_.sigmas;
  const SamplerOptions& options = setup_.options;
  const SigmaInterval& stochastic = setup_.stochastic;
  const bool& flow = setup_.flow;
  /// The noised latent at first, the sample in the end.
  Latent x;

  int steps() const { return static_cast<int>(setup_.sigmas.size()) - 1; }

  /// Memory for a latent, to be taken before the first step.
  Latent New() { return Latent(memory_, setup_.size); }

  /// `co_await sampling.Denoise(x, sigma, denoised)`: `denoised` then holds the prediction.
  auto Denoise(const Latent& noised, float sigma, Latent& denoised) {
    return Awaiter{*this, {&noised, sigma, &denoised, nullptr}};
  }
  auto Denoise(const Latent& noised, float sigma, Latent& denoised, Latent& uncond_denoised) {
    return Awaiter{*this, {&noised, sigma, &denoised, &uncond_denoised}};
  }

  /// ComfyUI's callback: step `step` (from 0) has its prediction.
  void Report(int step, const Latent& denoised);

  /// `noise_sampler(sigma, sigma_next)`, cut off at `clip` of its own standard deviations where that is above
  /// 0.
  void Noise(Latent& into, float sigma, float sigma_next, double clip = 0);
  /// x = x + noise_sampler(sigma, sigma_next) · factor · factor · …, rounded after each as torch does.
  void AddNoise(Latent& latent, std::initializer_list<float> factors, float sigma, float sigma_next);
  /// x = x + torch.randn_like(x) · factor · factor · …
  void AddGlobalNoise(Latent& latent, std::initializer_list<float> factors);
  /// Draws `torch.randn_like(x)` and doesn't use it.
  void PassGlobalNoise();

  // The driver's side.
  const Evaluation* pending() const { return pending_ ? &evaluation_ : nullptr; }
  void Answered() { pending_ = false; }
  /// How often torch's global generator was drawn on.
  int global_draws() const { return global_draws_; }
  int reported_steps() const { return reported_steps_; }
  const Latent& reported() const { return reported_; }

 private:
  struct Awaiter {
    Sampling& sampling;
    Evaluation evaluation;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept {
      sampling.evaluation_ = evaluation;
      sampling.pending_ = true;
    }
    void await_resume() const noexcept {}
  };

  void AddFrom(NoiseSampler& source, Latent& latent, std::initializer_list<float> factors, float sigma,
               float sigma_next);

  std::vector<float> host_noise_;
  Latent noise_;
  Latent reported_;
  int reported_steps_ = 0;
  int global_draws_ = 0;
  /// Of them, those that wait to be made until one is used.
  int unused_draws_ = 0;
  Evaluation evaluation_{};
  bool pending_ = false;
};

}  // namespace latentd
