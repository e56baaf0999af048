// The JavaScript class NoiseLevels, and the schedulers as functions.
#pragma once

#include <napi.h>

#include <memory>

#include "schedule/noise_levels.h"

namespace latentd {

class NoiseLevelsBinding : public Napi::ObjectWrap<NoiseLevelsBinding> {
 public:
  explicit NoiseLevelsBinding(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Description(const Napi::CallbackInfo& info);
  Napi::Value GetSigmas(const Napi::CallbackInfo& info);
  Napi::Value SigmaMin(const Napi::CallbackInfo& info);
  Napi::Value SigmaMax(const Napi::CallbackInfo& info);
  Napi::Value SigmaToTimestep(const Napi::CallbackInfo& info);
  Napi::Value TimestepToSigma(const Napi::CallbackInfo& info);
  Napi::Value PercentToSigma(const Napi::CallbackInfo& info);
  Napi::Value Schedule(const Napi::CallbackInfo& info);
  Napi::Value KSamplerSchedule(const Napi::CallbackInfo& info);
  Napi::Value BetaSchedule(const Napi::CallbackInfo& info);

  std::unique_ptr<NoiseLevels> levels_;
  Napi::Reference<Napi::Array> description_;
};

}  // namespace latentd
