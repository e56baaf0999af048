// The JavaScript class SamplerRun and the table of samplers.
#pragma once

#include <napi.h>

#include <optional>

#include "samplers/sampling.h"
#include "samplers/table.h"

namespace latentd {

class SamplerRunBinding : public Napi::ObjectWrap<SamplerRunBinding> {
 public:
  explicit SamplerRunBinding(const Napi::CallbackInfo& info);
  ~SamplerRunBinding();

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Next(const Napi::CallbackInfo& info);
  void Provide(const Napi::CallbackInfo& info);
  Napi::Value Result(const Napi::CallbackInfo& info);
  Napi::Value Denoised(const Napi::CallbackInfo& info);
  Napi::Value Step(const Napi::CallbackInfo& info);
  Napi::Value TotalSteps(const Napi::CallbackInfo& info);
  Napi::Value GlobalDraws(const Napi::CallbackInfo& info);

  void Resume(Napi::Env env);
  /// Tells V8, which doesn't see it, about how many latents are held here, so that given-up runs are
  /// collected in time.
  void AccountFor(int64_t latents);

  std::optional<Sampling> sampling_;
  /// Destroyed before what it refers to, and as soon as it is done.
  std::optional<SamplerTask> task_;
  /// The caller's from `next` to `provide`.
  Napi::Reference<Napi::Float32Array> x_;
  int64_t accounted_bytes_ = 0;
};

}  // namespace latentd
