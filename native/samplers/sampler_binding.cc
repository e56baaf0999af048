#include "samplers/sampler_binding.h"

#include <stdexcept>
#include <string>

#include "arguments.h"
#include "samplers/setup.h"

namespace latentd {
namespace {

Napi::Float32Array ToArray(Napi::Env env, const Latent& latent) {
  auto array = Napi::Float32Array::New(env, latent.size());
  latent.Read({array.Data(), array.ElementLength()});
  return array;
}

Napi::Object Describe(Napi::Env env, const Sampler& sampler) {
  auto description = Napi::Object::New(env);
  description.Set("name", std::string(sampler.name));
  description.Set("needsUncond", sampler.needs_uncond);
  description.Set("discardsPenultimateSigma", sampler.discards_penultimate);
  description.Set("randomInpaintNoise", sampler.random_inpaint_noise);
  auto options = Napi::Array::New(env, sampler.options.size());
  for (uint32_t i = 0; i < sampler.options.size(); ++i) options.Set(i, std::string(sampler.options[i]));
  description.Set("options", options);
  return description;
}

}  // namespace

void SamplerRunBinding::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("SamplerRun", DefineClass(env, "SamplerRun",
                                        {
                                            InstanceMethod<&SamplerRunBinding::Next>("next"),
                                            InstanceMethod<&SamplerRunBinding::Provide>("provide"),
                                            InstanceAccessor<&SamplerRunBinding::Result>("result"),
                                            InstanceAccessor<&SamplerRunBinding::Denoised>("denoised"),
                                            InstanceAccessor<&SamplerRunBinding::Step>("step"),
                                            InstanceAccessor<&SamplerRunBinding::TotalSteps>("totalSteps"),
                                            InstanceAccessor<&SamplerRunBinding::GlobalDraws>("globalDraws"),
                                        }));
  const auto samplers = Samplers();
  auto table = Napi::Array::New(env, samplers.size());
  for (uint32_t i = 0; i < samplers.size(); ++i) table.Set(i, Describe(env, samplers[i]));
  exports.Set("samplers", table);
}

SamplerRunBinding::SamplerRunBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SamplerRunBinding>(info) {
  const Sampler& sampler = RequireSampler(info[0]);
  sampling_.emplace(HostMemory(), RequireSetup(info[1], sampler));
  sampling_->x.Write(RequireFloat32Array(info[1].As<Napi::Object>().Get("x"), "x"));
  x_ = Napi::Persistent(Napi::Float32Array::New(info.Env(), sampling_->x.size()));
  try {
    task_.emplace(sampler.function(*sampling_));
  } catch (const std::out_of_range& error) {
    throw Napi::RangeError::New(info.Env(), error.what());
  }
  Resume(info.Env());
  // Three of its own and, give or take a few, what a sampler of some order holds.
  if (task_) AccountFor(8);
}

SamplerRunBinding::~SamplerRunBinding() { AccountFor(0); }

void SamplerRunBinding::AccountFor(int64_t latents) {
  const int64_t size = sampling_ ? static_cast<int64_t>(sampling_->x.size()) : 0;
  const int64_t bytes = latents * size * static_cast<int64_t>(sizeof(float));
  if (bytes != accounted_bytes_)
    Napi::MemoryManagement::AdjustExternalMemory(Env(), bytes - accounted_bytes_);
  accounted_bytes_ = bytes;
}

void SamplerRunBinding::Resume(Napi::Env env) {
  try {
    task_->Resume();
  } catch (const std::out_of_range& error) {
    throw Napi::RangeError::New(env, error.what());
  }
  if (task_->done()) {
    task_.reset();
    AccountFor(3);
  }
}

Napi::Value SamplerRunBinding::Next(const Napi::CallbackInfo& info) {
  const Evaluation* evaluation = sampling_->pending();
  if (evaluation == nullptr) return info.Env().Undefined();
  Napi::Float32Array x = x_.Value();
  evaluation->x->Read({x.Data(), x.ElementLength()});
  auto request = Napi::Object::New(info.Env());
  request.Set("x", x);
  request.Set("sigma", evaluation->sigma);
  request.Set("needsUncond", evaluation->uncond_denoised != nullptr);
  return request;
}

void SamplerRunBinding::Provide(const Napi::CallbackInfo& info) {
  const Evaluation* evaluation = sampling_->pending();
  if (evaluation == nullptr) throw Napi::Error::New(info.Env(), "the sampler has asked for nothing");
  const auto answer = [&info, size = sampling_->x.size()](size_t index, const char* name) {
    const auto values = RequireFloat32Array(info[index], name);
    if (values.size() == size) return values;
    throw Napi::RangeError::New(info.Env(), std::string(name) + " must have " + std::to_string(size) +
                                                " values, has " + std::to_string(values.size()));
  };
  const auto denoised = answer(0, "denoised");
  if (evaluation->uncond_denoised != nullptr) evaluation->uncond_denoised->Write(answer(1, "uncondDenoised"));
  evaluation->denoised->Write(denoised);
  sampling_->Answered();
  Resume(info.Env());
}

Napi::Value SamplerRunBinding::Result(const Napi::CallbackInfo& info) {
  if (task_) throw Napi::Error::New(info.Env(), "the sampler isn't done");
  return ToArray(info.Env(), sampling_->x);
}

Napi::Value SamplerRunBinding::Denoised(const Napi::CallbackInfo& info) {
  if (sampling_->reported_steps() == 0) return info.Env().Undefined();
  return ToArray(info.Env(), sampling_->reported());
}

Napi::Value SamplerRunBinding::Step(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sampling_->reported_steps());
}

Napi::Value SamplerRunBinding::TotalSteps(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sampling_->steps());
}

Napi::Value SamplerRunBinding::GlobalDraws(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sampling_->global_draws());
}

}  // namespace latentd
