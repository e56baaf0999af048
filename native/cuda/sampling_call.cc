#include "cuda/sampling_call.h"

#include <algorithm>
#include <array>
#include <string>

#include "arguments.h"
#include "samplers/setup.h"

namespace latentd::cuda {
namespace {

size_t RequirePort(const std::vector<Port>& ports, const Napi::Object& settings, const char* name) {
  const uint64_t index = RequireCount(settings.Get(name), name);
  if (index >= ports.size()) throw Napi::RangeError::New(settings.Env(), std::string(name) + " is no port");
  return index;
}

}  // namespace

void SamplingCall::Report(int step, int steps, std::vector<float> values) {
  auto told = std::make_unique<std::vector<float>>(std::move(values));
  const auto tell = [step, steps](Napi::Env env, Napi::Function function, std::vector<float>* values) {
    const std::unique_ptr<std::vector<float>> owned(values);
    function.Call({Napi::Number::New(env, step), Napi::Number::New(env, steps), ToArray(env, *owned)});
  };
  if (report.NonBlockingCall(told.get(), tell) == napi_ok) {
    static_cast<void>(told.release());
    ++reports;
  }
}

std::shared_ptr<SamplingCall> ReadSampling(const Napi::Object& sampler, const Napi::Object& settings,
                                           const Program& program) {
  const Napi::Env env = settings.Env();
  auto call = std::make_shared<SamplingCall>();
  call->sampler = RequirePrepared(sampler.Get("name"), sampler.Get("init"));
  SamplingSettings& s = call->settings;
  const std::string prediction = RequireString(settings.Get("prediction"), "prediction");
  constexpr std::array kNames = {"epsilon", "v_prediction", "edm", "x0"};
  const auto* const name = std::find(kNames.begin(), kNames.end(), prediction);
  if (name == kNames.end()) throw Napi::RangeError::New(env, "prediction can't be " + prediction);
  s.prediction = static_cast<Prediction>(name - kNames.begin());
  s.sigma_data = static_cast<float>(RequireNumber(settings.Get("sigmaData"), "sigmaData"));
  s.guided = !settings.Get("cfg").IsUndefined();
  if (s.guided) s.cfg = static_cast<float>(RequireNumber(settings.Get("cfg"), "cfg"));
  s.x = RequirePort(program.inputs, settings, "x");
  s.time_embedding = RequirePort(program.inputs, settings, "timeEmbedding");
  s.out = RequirePort(program.outputs, settings, "out");
  if (program.inputs[s.x].count != program.outputs[s.out].count) {
    throw Napi::RangeError::New(env, "out must be as large as x");
  }
  const auto inputs = settings.Get("inputs").As<Napi::Array>();
  if (inputs.Length() != program.inputs.size()) {
    throw Napi::RangeError::New(env, "inputs must have an entry for each of the program's");
  }
  for (uint32_t i = 0; i < inputs.Length(); ++i) {
    if (i == s.x || i == s.time_embedding) continue;
    s.constants.emplace_back(i, ReadInput(inputs.Get(i), program.inputs[i], call->kept));
  }
  const auto cancelled = settings.Get("cancelled").As<Napi::Int32Array>();
  if (cancelled.ElementLength() < 1) throw Napi::RangeError::New(env, "cancelled must have a value");
  call->kept.push_back(Napi::Persistent(cancelled.As<Napi::TypedArray>()));
  call->cancelled = cancelled.Data();
  call->report = Napi::ThreadSafeFunction::New(env, settings.Get("report").As<Napi::Function>(),
                                               "latentd sampling", 0, 1);
  return call;
}

}  // namespace latentd::cuda
