// The JavaScript class OnnxSession: a model loaded into ONNX Runtime with our operators, run off the main
// thread.
#pragma once

#include <napi.h>

namespace latentd::onnx {

void RegisterSession(Napi::Env env, Napi::Object exports);

}  // namespace latentd::onnx
