#include "schedule/schedule_binding.h"

#include <algorithm>
#include <string>

#include "arguments.h"
#include "schedule/schedulers.h"

namespace latentd {
namespace {

constexpr int kMaxSteps = 10'000;
constexpr napi_type_tag kTypeTag = {0x4d6f64656c53616dULL, 0x706c696e674c6461ULL};

int RequireSteps(const Napi::Value& value) {
  const uint64_t steps = RequireCount(value, "steps");
  if (steps < 1 || steps > kMaxSteps) {
    throw Napi::RangeError::New(
        value.Env(), "steps must be 1 to " + std::to_string(kMaxSteps) + ", got " + std::to_string(steps));
  }
  return static_cast<int>(steps);
}

double RequirePositive(const Napi::Value& value, const char* name) {
  const double number = RequireNumber(value, name);
  if (!(number > 0)) throw Napi::RangeError::New(value.Env(), std::string(name) + " must be above 0");
  return number;
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

std::unique_ptr<NoiseLevels> MakeLevels(const Napi::CallbackInfo& info) {
  const std::string kind = RequireString(info[0], "kind");
  if (kind == "discrete" || kind == "distilled") {
    BetaSchedule schedule;
    schedule.linear_start = RequirePositive(info[1], "linearStart");
    schedule.linear_end = RequirePositive(info[2], "linearEnd");
    schedule.zero_terminal_snr = info[3].ToBoolean().Value();
    if (schedule.linear_start >= 1 || schedule.linear_end >= 1) {
      throw Napi::RangeError::New(info.Env(), "linearStart and linearEnd must be below 1");
    }
    if (kind == "distilled") return std::make_unique<DistilledLevels>(schedule);
    return std::make_unique<DiscreteLevels>(schedule);
  }
  const double sigma_min = RequirePositive(info[1], "sigmaMin");
  const double sigma_max = RequirePositive(info[2], "sigmaMax");
  if (kind == "continuous_edm") return std::make_unique<ContinuousEdmLevels>(sigma_min, sigma_max);
  if (kind == "continuous_v") return std::make_unique<ContinuousVLevels>(sigma_min, sigma_max);
  if (kind == "cosmos_rflow") return std::make_unique<CosmosFlowLevels>(sigma_min, sigma_max);
  throw Napi::RangeError::New(
      info.Env(),
      "kind must be discrete, distilled, continuous_edm, continuous_v or cosmos_rflow, got " + kind);
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
    : Napi::ObjectWrap<NoiseLevelsBinding>(info), levels_(MakeLevels(info)) {
  info.This().As<Napi::Object>().TypeTag(&kTypeTag);
}

const NoiseLevels& NoiseLevelsBinding::Require(const Napi::Value& value, const char* name) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be NoiseLevels");
  }
  return *Unwrap(value.As<Napi::Object>())->levels_;
}

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
