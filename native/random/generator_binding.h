// The JavaScript class TorchGenerator.
#pragma once

#include <napi.h>

#include "random/torch_generator.h"

namespace latentd {

class GeneratorBinding : public Napi::ObjectWrap<GeneratorBinding> {
 public:
  explicit GeneratorBinding(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Rand(const Napi::CallbackInfo& info);
  Napi::Value Randn(const Napi::CallbackInfo& info);
  Napi::Value Random32(const Napi::CallbackInfo& info);

  TorchGenerator generator_;
};

}  // namespace latentd
