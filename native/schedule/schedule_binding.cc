#include "schedule/schedule_binding.h"

#include <algorithm>
#include <string>

#include "arguments.h"
#include "schedule/levels_argument.h"
#include "schedule/schedulers.h"

namespace latentd {
namespace {

constexpr int kMaxSteps = 10'000;

int RequireSteps(const Napi::Value& value) {
  const uint64_t steps = RequireCount(value, "steps");
  if (steps < 1 || steps > kMaxSteps) {
    throw Napi::RangeError::New(
        value.Env(), "steps must be 1 to " + std::to_string(kMaxSteps) + ", got " + std::to_string(steps));
  }
  return static_cast<int>(steps);
}

const Scheduler& RequireScheduler(const Napi::Value& value) {
  const std::string name = RequireString(value, "scheduler");
  const auto schedulers = Schedulers();
  const auto found = std::find_if(schedulers.begin(), schedulers.end(),
                                  [&name](const Scheduler& scheduler) { return scheduler.name == name; });
  if (found == schedulers.end()) throw Napi::RangeError::New(value.Env(), "there is no scheduler " + name);
  return *found;
}

Napi::Float32Array ToArray(Napi::Env env, std::span<const float> values) {
  auto array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Array Arguments(const Napi::CallbackInfo& info) {
  auto array = Napi::Array::New(info.Env(), info.Length());
  for (uint32_t i = 0; i < info.Length(); ++i) array.Set(i, info[i]);
  return array;
}

Napi::Value Karras(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(),
                 KarrasSigmas(RequireSteps(info[0]), RequireNumber(info[1], "sigmaMin"),
                              RequireNumber(info[2], "sigmaMax"), RequirePositive(info[3], "rho")));
}

Napi::Value Exponential(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), ExponentialSigmas(RequireSteps(info[0]), RequirePositive(info[1], "sigmaMin"),
                                               RequirePositive(info[2], "sigmaMax")));
}

Napi::Value Polyexponential(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(),
                 PolyexponentialSigmas(RequireSteps(info[0]), RequirePositive(info[1], "sigmaMin"),
                                       RequirePositive(info[2], "sigmaMax"), RequireNumber(info[3], "rho")));
}

Napi::Value Vp(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), VpSigmas(RequireSteps(info[0]), RequireNumber(info[1], "betaD"),
                                      RequireNumber(info[2], "betaMin"), RequireNumber(info[3], "epsS")));
}

Napi::Value Laplace(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), LaplaceSigmas(RequireSteps(info[0]), RequireNumber(info[1], "sigmaMin"),
                                           RequireNumber(info[2], "sigmaMax"), RequireNumber(info[3], "mu"),
                                           RequireNumber(info[4], "beta")));
}

}  // namespace

void NoiseLevelsBinding::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("NoiseLevels",
              DefineClass(env, "NoiseLevels",
                          {
                              InstanceAccessor<&NoiseLevelsBinding::Description>("description"),
                              InstanceAccessor<&NoiseLevelsBinding::GetSigmas>("sigmas"),
                              InstanceAccessor<&NoiseLevelsBinding::SigmaMin>("sigmaMin"),
                              InstanceAccessor<&NoiseLevelsBinding::SigmaMax>("sigmaMax"),
                              InstanceMethod<&NoiseLevelsBinding::SigmaToTimestep>("sigmaToTimestep"),
                              InstanceMethod<&NoiseLevelsBinding::TimestepToSigma>("timestepToSigma"),
                              InstanceMethod<&NoiseLevelsBinding::PercentToSigma>("percentToSigma"),
                              InstanceMethod<&NoiseLevelsBinding::Schedule>("schedule"),
                              InstanceMethod<&NoiseLevelsBinding::KSamplerSchedule>("kSamplerSchedule"),
                              InstanceMethod<&NoiseLevelsBinding::BetaSchedule>("betaSchedule"),
                          }));
  const auto schedulers = Schedulers();
  auto names = Napi::Array::New(env, schedulers.size());
  for (uint32_t i = 0; i < schedulers.size(); ++i) names.Set(i, std::string(schedulers[i].name));
  exports.Set("schedulerNames", names);
  exports.Set("karrasSigmas", Napi::Function::New<Karras>(env, "karrasSigmas"));
  exports.Set("exponentialSigmas", Napi::Function::New<Exponential>(env, "exponentialSigmas"));
  exports.Set("polyexponentialSigmas", Napi::Function::New<Polyexponential>(env, "polyexponentialSigmas"));
  exports.Set("vpSigmas", Napi::Function::New<Vp>(env, "vpSigmas"));
  exports.Set("laplaceSigmas", Napi::Function::New<Laplace>(env, "laplaceSigmas"));
}

NoiseLevelsBinding::NoiseLevelsBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NoiseLevelsBinding>(info) {
  const Napi::Array description = Arguments(info);
  levels_ = MakeLevels(description);
  description_ = Napi::Persistent(description);
  info.This().As<Napi::Object>().TypeTag(&kNoiseLevelsTag);
}

Napi::Value NoiseLevelsBinding::Description(const Napi::CallbackInfo&) { return description_.Value(); }

Napi::Value NoiseLevelsBinding::GetSigmas(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), levels_->sigmas());
}

Napi::Value NoiseLevelsBinding::SigmaMin(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), levels_->sigma_min());
}

Napi::Value NoiseLevelsBinding::SigmaMax(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), levels_->sigma_max());
}

Napi::Value NoiseLevelsBinding::SigmaToTimestep(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           levels_->Timestep(static_cast<float>(RequireNumber(info[0], "sigma"))));
}

Napi::Value NoiseLevelsBinding::TimestepToSigma(const Napi::CallbackInfo& info) {
  const double timestep = RequireNumber(info[0], "timestep");
  if (timestep != timestep) throw Napi::RangeError::New(info.Env(), "timestep must be a number, got NaN");
  return Napi::Number::New(info.Env(), levels_->Sigma(static_cast<float>(timestep)));
}

Napi::Value NoiseLevelsBinding::PercentToSigma(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), levels_->PercentToSigma(RequireNumber(info[0], "percent")));
}

Napi::Value NoiseLevelsBinding::Schedule(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), RequireScheduler(info[0]).sigmas(*levels_, RequireSteps(info[1])));
}

Napi::Value NoiseLevelsBinding::KSamplerSchedule(const Napi::CallbackInfo& info) {
  const Scheduler& scheduler = RequireScheduler(info[0]);
  const int steps = RequireSteps(info[1]);
  const double denoise = RequireNumber(info[2], "denoise");
  // Beyond this the whole schedule would have more steps than can be meant (ComfyUI's smallest denoise is
  // 0.01).
  if (!(denoise <= 0 || denoise >= 1e-4)) {
    throw Napi::RangeError::New(info.Env(), "denoise must be 0 or at least 0.0001");
  }
  return ToArray(info.Env(),
                 KSamplerSigmas(*levels_, scheduler, steps, denoise, info[3].ToBoolean().Value()));
}

Napi::Value NoiseLevelsBinding::BetaSchedule(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), BetaSigmas(*levels_, RequireSteps(info[0]), RequirePositive(info[1], "alpha"),
                                        RequirePositive(info[2], "beta")));
}

}  // namespace latentd
