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

  /// The levels of a JavaScript NoiseLevels; throws a TypeError for anything else.
  static const NoiseLevels& Require(const Napi::Value& value, const char* name);

 private:
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
};

}  // namespace latentd
