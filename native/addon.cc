// The addon's door: the only file that registers names with N-API.
#include <napi.h>

#include "files/mapped_file.h"
#include "imaging/imaging_binding.h"
#include "imaging/opencv_binding.h"
#include "lora/lora_binding.h"
#include "onnx/ort_api.h"
#include "onnx/session.h"
#include "process/process_binding.h"
#include "process/signal_guard.h"
#include "random/generator_binding.h"
#include "samplers/sampler_binding.h"
#include "schedule/schedule_binding.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  latentd::onnx::DisableTelemetry();
  latentd::MappedFile::Register(env, exports);
  latentd::GeneratorBinding::Register(env, exports);
  latentd::CudaGeneratorBinding::Register(env, exports);
  latentd::BrownianTreeBinding::Register(env, exports);
  latentd::NoiseLevelsBinding::Register(env, exports);
  latentd::SamplerRunBinding::Register(env, exports);
  latentd::RegisterImaging(env, exports);
  latentd::RegisterOpencv(env, exports);
  latentd::RegisterLora(env, exports);
  latentd::onnx::RegisterSession(env, exports);
  latentd::RegisterProcess(env, exports);
  latentd::RegisterSignalGuard(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(latentd, Init)
