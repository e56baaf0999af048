// The JavaScript class ModelSampling, and the schedulers as functions.
#pragma once

#include <napi.h>

#include <memory>

#include "schedule/model_sampling.h"

namespace latentd {

class ModelSamplingBinding : public Napi::ObjectWrap<ModelSamplingBinding> {
 public:
  explicit ModelSamplingBinding(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

  /// The model sampling of a JavaScript ModelSampling; throws a TypeError for anything else.
  static const ModelSampling& Require(const Napi::Value& value, const char* name);

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

  std::unique_ptr<ModelSampling> sampling_;
};

}  // namespace latentd
