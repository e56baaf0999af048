// The JavaScript classes TorchGenerator, CudaGenerator and BrownianTree.
#pragma once

#include <napi.h>

#include "random/brownian_tree.h"
#include "random/cuda_generator.h"
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

class CudaGeneratorBinding : public Napi::ObjectWrap<CudaGeneratorBinding> {
 public:
  explicit CudaGeneratorBinding(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Randn(const Napi::CallbackInfo& info);

  CudaGenerator generator_;
};

class BrownianTreeBinding : public Napi::ObjectWrap<BrownianTreeBinding> {
 public:
  explicit BrownianTreeBinding(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Increment(const Napi::CallbackInfo& info);

  size_t count_;
  BrownianTree tree_;
};

}  // namespace latentd
