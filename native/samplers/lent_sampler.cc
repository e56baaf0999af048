#include "samplers/lent_sampler.h"

#include <memory>
#include <optional>

#include "arguments.h"
#include "samplers/sampler_binding.h"
#include "samplers/setup.h"
#include "schedule/schedule_binding.h"

namespace latentd {
namespace {

class Lent : public LentSampler {
 public:
  Lent(const Sampler& sampler, Sampling::Setup setup, std::span<const float> x, const Napi::Object& levels)
      : sampler_(sampler),
        setup_(std::move(setup)),
        x_(x.begin(), x.end()),
        levels_(NoiseLevelsBinding::Require(levels, "levels")),
        held_levels_(Napi::Persistent(levels)) {}

  uint64_t Layout() const override { return kSamplerLayout; }

  Sampling& Begin(LatentMemory& memory) override {
    sampling_.emplace(memory, std::move(setup_));
    sampling_->x.Write(x_);
    task_.emplace(sampler_.function(*sampling_));
    task_->Resume();
    return *sampling_;
  }

  void Resume() override { task_->Resume(); }

  void End() noexcept override {
    task_.reset();
    sampling_.reset();
  }

  float Timestep(float sigma) const override { return levels_.Timestep(sigma); }

 private:
  const Sampler& sampler_;
  Sampling::Setup setup_;
  std::vector<float> x_;
  const NoiseLevels& levels_;
  /// Keeps them.
  Napi::ObjectReference held_levels_;
  std::optional<Sampling> sampling_;
  /// Destroyed before what it refers to.
  std::optional<SamplerTask> task_;
};

}  // namespace

Napi::Value LendSampler(const Napi::CallbackInfo& info) {
  const Sampler& sampler = RequireSampler(info[0]);
  Sampling::Setup setup = RequireSetup(info[1], sampler);
  const auto init = info[1].As<Napi::Object>();
  auto lent = std::make_unique<Lent>(sampler, std::move(setup), RequireFloat32Array(init.Get("x"), "x"),
                                     init.Get("levels").As<Napi::Object>());
  const auto release = [](Napi::Env, LentSampler* held) { delete held; };
  auto external = Napi::External<LentSampler>::New(info.Env(), lent.get(), release);
  static_cast<void>(lent.release());
  external.TypeTag(&kLentSamplerTag);
  return external;
}

}  // namespace latentd
