#include "samplers/setup.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "schedule/levels_argument.h"

namespace latentd {
namespace {

SamplerOptions RequireOptions(const Napi::Value& value, const Sampler& sampler) {
  SamplerOptions options;
  if (value.IsUndefined()) return options;
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "options must be an object");
  const auto object = value.As<Napi::Object>();
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    if (std::find(sampler.options.begin(), sampler.options.end(), key) == sampler.options.end()) {
      std::string message = "the sampler " + std::string(sampler.name) + " has no option " + key;
      for (size_t k = 0; k < sampler.options.size(); ++k) {
        message += (k == 0 ? "; it has " : ", ") + std::string(sampler.options[k]);
      }
      throw Napi::RangeError::New(value.Env(), message);
    }
    const Napi::Value option = object.Get(key);
    if (option.IsUndefined()) continue;
    if (option.IsNumber() || option.IsBoolean()) {
      options.Set(key, option.ToNumber().DoubleValue());
    } else {
      options.Set(key, RequireString(option, key.c_str()));
    }
  }
  return options;
}

NoiseDevice RequireNoiseDevice(const Napi::Object& init) {
  NoiseDevice device;
  const Napi::Value noise = init.Get("noise");
  if (!noise.IsUndefined()) {
    const std::string name = RequireString(noise, "noise");
    if (name != "cpu" && name != "cpu-0.3.64" && name != "gpu") {
      throw Napi::RangeError::New(init.Env(), "noise must be cpu, cpu-0.3.64 or gpu, got " + name);
    }
    device.gpu = name == "gpu";
    device.seed_offset = name == "cpu" ? 1 : 0;
  }
  const Napi::Value threads = init.Get("gpuThreads");
  if (!threads.IsUndefined()) device.resident_threads = RequireGpuThreads(threads);
  return device;
}

/// The sigmas that a Brownian path spans: those of the run unless others are named.
std::vector<float> NoisePath(const Napi::Object& init, const std::vector<float>& sigmas) {
  const Napi::Value named = init.Get("noiseSigmas");
  if (named.IsUndefined()) return sigmas;
  const auto path = RequireFloat32Array(named, "noiseSigmas");
  if (std::any_of(path.begin(), path.end(), [](float sigma) { return !(sigma >= 0); })) {
    throw Napi::RangeError::New(init.Env(), "noiseSigmas must be numbers from 0 up");
  }
  return {path.begin(), path.end()};
}

/// comfy/k_diffusion/sampling.py, offset_first_sigma_for_snr
constexpr double kFirstShare = 1e-4;

std::unique_ptr<NoiseSampler> MakeNoise(const Sampler& sampler, const std::vector<float>& sigmas, size_t size,
                                        uint64_t seed, NoiseDevice device) {
  switch (sampler.noise) {
    case SamplerNoise::kNone:
      return nullptr;
    case SamplerNoise::kSequential:
      return SequentialNoise(seed + device.seed_offset, device, 0, size);
    case SamplerNoise::kBrownian:
      return BrownianNoise(seed, NoiseDevice{}, sigmas, size);
    case SamplerNoise::kBrownianOnDevice:
      return BrownianNoise(seed, device, sigmas, size);
  }
  return nullptr;
}

}  // namespace

const Sampler& RequireSampler(const Napi::Value& value) {
  const std::string name = RequireString(value, "sampler");
  const Sampler* sampler = FindSampler(name);
  if (sampler == nullptr) throw Napi::RangeError::New(value.Env(), "there is no sampler " + name);
  return *sampler;
}

Sampling::Setup RequireSetup(const Napi::Value& value, const Sampler& sampler) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) throw Napi::TypeError::New(env, "a run needs an object of its settings");
  const auto init = value.As<Napi::Object>();
  const auto x = RequireFloat32Array(init.Get("x"), "x");
  const auto sigmas = RequireFloat32Array(init.Get("sigmas"), "sigmas");
  const uint64_t seed = RequireSeed(init.Get("seed"), "seed");
  const NoiseDevice device = RequireNoiseDevice(init);
  const auto levels = RequireLevels(init.Get("levels"), "levels");
  if (x.empty()) throw Napi::RangeError::New(env, "x must not be empty");
  if (sigmas.empty()) throw Napi::RangeError::New(env, "sigmas must not be empty");
  if (std::any_of(sigmas.begin(), sigmas.end(), [](float sigma) { return !(sigma >= 0); })) {
    throw Napi::RangeError::New(env, "sigmas must be numbers from 0 up");
  }
  Sampling::Setup setup;
  setup.size = x.size();
  setup.sigmas.assign(sigmas.begin(), sigmas.end());
  setup.options = RequireOptions(init.Get("options"), sampler);
  setup.stochastic = {levels->PercentToSigma(0.2), levels->PercentToSigma(0.8)};
  setup.flow = init.Get("flow").ToBoolean().Value();
  const std::vector<float> path = NoisePath(init, setup.sigmas);
  setup.noise = MakeNoise(sampler, path, setup.size, seed, device);
  // On the CPU the initial noise was drawn from the global generator before (comfy/sample.py, prepare_noise).
  setup.global_noise = SequentialNoise(seed, device, device.gpu ? 0 : 1, setup.size);
  if (setup.flow && sampler.offsets_first && setup.sigmas.size() > 1 && setup.sigmas[0] >= 1) {
    setup.sigmas[0] = static_cast<float>(levels->PercentToSigma(kFirstShare));
  }
  return setup;
}

std::unique_ptr<PreparedSampler> RequirePrepared(const Napi::Value& name, const Napi::Value& value) {
  const Sampler& sampler = RequireSampler(name);
  Sampling::Setup setup = RequireSetup(value, sampler);
  const auto init = value.As<Napi::Object>();
  const auto x = RequireFloat32Array(init.Get("x"), "x");
  return std::make_unique<PreparedSampler>(sampler, std::move(setup), std::vector<float>(x.begin(), x.end()),
                                           RequireLevels(init.Get("levels"), "levels"));
}

}  // namespace latentd
