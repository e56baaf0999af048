// The CUDA addon's door: the JavaScript classes CudaDevice and CudaModel. Whatever touches the card does so
// on a worker thread, one at a time a card.
#include <napi.h>

#include <memory>
#include <optional>
#include <vector>

#include "arguments.h"
#include "cuda/decode.h"
#include "cuda/device.h"
#include "cuda/plan.h"
#include "cuda/sampling_call.h"
#include "cuda/task.h"

namespace latentd::cuda {
namespace {

constexpr napi_type_tag kDeviceTag{0x6c6174656e746420, 0x6375646164657669};

class CudaDevice : public Napi::ObjectWrap<CudaDevice> {
 public:
  explicit CudaDevice(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CudaDevice>(info) {
    device = std::make_shared<Device>(static_cast<int>(RequireCount(info[0], "index")));
    info.This().As<Napi::Object>().TypeTag(&kDeviceTag);
  }

  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("CudaDevice", DefineClass(env, "CudaDevice",
                                          {
                                              InstanceAccessor<&CudaDevice::Info>("info"),
                                              InstanceMethod<&CudaDevice::FreeBytes>("freeBytes"),
                                              InstanceMethod<&CudaDevice::SetAlgorithms>("setAlgorithms"),
                                              InstanceMethod<&CudaDevice::TakeAlgorithms>("takeAlgorithms"),
                                              InstanceMethod<&CudaDevice::Force>("force"),
                                          }));
  }

  static std::shared_ptr<Device> Of(const Napi::Value& value) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kDeviceTag)) {
      throw Napi::TypeError::New(value.Env(), "device must be a CudaDevice");
    }
    return Unwrap(value.As<Napi::Object>())->device;
  }

  std::shared_ptr<Device> device;

 private:
  Napi::Value Info(const Napi::CallbackInfo& info) {
    const cudaDeviceProp& properties = device->properties();
    auto object = Napi::Object::New(info.Env());
    int driver = 0;
    Check(cudaDriverGetVersion(&driver), "asking for the driver's version");
    object.Set("name", std::string(properties.name));
    object.Set("capability", std::to_string(properties.major) + "." + std::to_string(properties.minor));
    object.Set("multiprocessors", properties.multiProcessorCount);
    object.Set("memoryBytes", static_cast<double>(properties.totalGlobalMem));
    object.Set("driver", driver);
    const CublasLt* library = device->cublas();
    object.Set("library",
               library == nullptr ? device->no_cublas() : "cublasLt " + std::to_string(library->version()));
    return object;
  }

  Napi::Value FreeBytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(device->FreeBytes()));
  }

  /// force('measured' | 'plain' | tile)
  void Force(const Napi::CallbackInfo& info) {
    int forced = Device::kMeasured;
    if (info[0].IsNumber()) {
      forced = info[0].As<Napi::Number>().Int32Value();
      const bool fits = forced >= 0 && forced < kProductTiles &&
                        ProductTileFits(forced, device->properties().sharedMemPerBlockOptin);
      if (!fits) throw Napi::RangeError::New(info.Env(), "this card has no such tile");
    } else if (RequireString(info[0], "kernels") == "plain") {
      forced = Device::kPlain;
    }
    const std::lock_guard lock(device->mutex);
    device->forced = forced;
  }

  /// Not while a model runs.
  void SetAlgorithms(const Napi::CallbackInfo& info) {
    if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "algorithms must be an object");
    const auto algorithms = info[0].As<Napi::Object>();
    const Napi::Array keys = algorithms.GetPropertyNames();
    const std::lock_guard lock(device->mutex);
    for (uint32_t i = 0; i < keys.Length(); ++i) {
      const std::string key = Napi::Value(keys.Get(i)).As<Napi::String>().Utf8Value();
      device->algorithms[key] = algorithms.Get(key).ToNumber().Int32Value();
    }
  }

  Napi::Value TakeAlgorithms(const Napi::CallbackInfo& info) {
    const std::unique_lock lock(device->mutex, std::try_to_lock);
    if (!lock || !device->algorithms_changed) return info.Env().Undefined();
    device->algorithms_changed = false;
    auto algorithms = Napi::Object::New(info.Env());
    for (const auto& [shape, algorithm] : device->algorithms) algorithms.Set(shape, algorithm);
    return algorithms;
  }
};

constexpr napi_type_tag kModelTag{0x6c6174656e746420, 0x637564616d6f6465};

class CudaModel : public Napi::ObjectWrap<CudaModel> {
 public:
  explicit CudaModel(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CudaModel>(info),
        device_(CudaDevice::Of(info[0])),
        state_(std::make_shared<State>()) {
    const std::string name = RequireString(info[1], "precision");
    if (name != "f16" && name != "bf16") {
      throw Napi::RangeError::New(info.Env(), "precision must be f16 or bf16, got " + name);
    }
    state_->precision = name == "f16" ? Precision::kF16 : Precision::kBF16;
    info.This().As<Napi::Object>().TypeTag(&kModelTag);
  }

  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("CudaModel", DefineClass(env, "CudaModel",
                                         {
                                             InstanceMethod<&CudaModel::Load>("load"),
                                             InstanceMethod<&CudaModel::Prepare>("prepare"),
                                             InstanceMethod<&CudaModel::Run>("run"),
                                             InstanceMethod<&CudaModel::Sample>("sample"),
                                             InstanceMethod<&CudaModel::Profile>("profile"),
                                             InstanceMethod<&CudaModel::Time>("time"),
                                             InstanceMethod<&CudaModel::Dispose>("dispose"),
                                         }));
  }

 private:
  /// What tasks share, and touch in turn.
  struct State {
    Precision precision = Precision::kF16;
    std::shared_ptr<const Weights> weights;
  };
  /// A program, and its plan once a task has run it.
  struct Prepared {
    Program program;
    std::unique_ptr<Plan> plan;

    Plan& For(const std::shared_ptr<Device>& device, const State& state) {
      if (!plan) plan = std::make_unique<Plan>(device, state.weights, state.precision, program);
      return *plan;
    }
  };

  /// load(weights, owner?, shared?): Promise of the bytes held on the card
  Napi::Value Load(const Napi::CallbackInfo& info) {
    auto decoded = std::make_shared<DecodedWeights>(DecodeWeights(info[0]));
    weight_count_ = decoded->entries.size();
    std::shared_ptr<State> owner;
    if (info[1].IsObject()) {
      if (!info[1].As<Napi::Object>().CheckTypeTag(&kModelTag)) {
        throw Napi::TypeError::New(info.Env(), "owner must be a CudaModel");
      }
      const CudaModel* const model = Unwrap(info[1].As<Napi::Object>());
      const auto shared = info[2].As<Napi::Int32Array>();
      const bool fits =
          shared.ElementLength() == weight_count_ && model->state_->precision == state_->precision;
      if (!fits)
        throw Napi::RangeError::New(info.Env(), "shared must name the owner's weight for each weight");
      for (size_t i = 0; i < weight_count_; ++i) {
        if (shared[i] >= static_cast<int64_t>(model->weight_count_)) {
          throw Napi::RangeError::New(info.Env(), "the owner has no such weight");
        }
        decoded->entries[i].shared = shared[i];
      }
      owner = model->state_;
    }
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, decoded, owner] {
          device->Use();
          try {
            state->weights = std::make_shared<Weights>(*device, state->precision, decoded->entries,
                                                       owner ? owner->weights : nullptr);
          } catch (const CudaError& error) {
            // Activations of what ran before may be what is in the way.
            if (error.code() == cudaErrorMemoryAllocation) device->ReleaseArena();
            throw;
          }
        },
        [state = state_, decoded](Napi::Env env) {
          return Napi::Number::New(env, static_cast<double>(state->weights->bytes()));
        });
  }

  /// prepare(program): its number
  Napi::Value Prepare(const Napi::CallbackInfo& info) {
    auto prepared = std::make_shared<Prepared>();
    prepared->program = DecodeProgram(info[0].As<Napi::Object>(), weight_count_);
    prepared_.push_back(std::move(prepared));
    return Napi::Number::New(info.Env(), static_cast<double>(prepared_.size() - 1));
  }

  std::shared_ptr<Prepared> RequirePlan(const Napi::CallbackInfo& info) {
    const uint64_t index = RequireCount(info[0], "plan");
    if (disposed_) throw Napi::Error::New(info.Env(), "the model is disposed");
    if (index >= prepared_.size()) throw Napi::RangeError::New(info.Env(), "there is no such plan");
    return prepared_[index];
  }

  /// run(plan, inputs): Promise of the outputs, in the program's order
  Napi::Value Run(const Napi::CallbackInfo& info) {
    const auto prepared = RequirePlan(info);
    const Program& program = prepared->program;
    const auto given = info[1].As<Napi::Array>();
    if (given.Length() != program.inputs.size()) {
      throw Napi::RangeError::New(info.Env(), "a run needs an array for each input");
    }
    struct Call {
      std::vector<HostInput> inputs;
      Kept kept;
      std::vector<std::vector<float>> outputs;
    };
    auto call = std::make_shared<Call>();
    for (uint32_t i = 0; i < given.Length(); ++i) {
      call->inputs.push_back(ReadInput(given.Get(i), program.inputs[i], call->kept));
    }
    for (const Port& port : program.outputs) call->outputs.emplace_back(static_cast<size_t>(port.count));
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, call, prepared] {
          prepared->For(device, *state).Run(call->inputs, call->outputs);
        },
        [call](Napi::Env env) {
          auto results = Napi::Array::New(env, call->outputs.size());
          for (uint32_t i = 0; i < call->outputs.size(); ++i) results.Set(i, ToArray(env, call->outputs[i]));
          return results;
        });
  }

  /// sample(plan, sampler, settings): Promise of CudaSampled
  Napi::Value Sample(const Napi::CallbackInfo& info) {
    const auto prepared = RequirePlan(info);
    const auto call = ReadSampling(info[1].As<Napi::Object>(), info[2].As<Napi::Object>(), prepared->program);
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, call, prepared] {
          struct Release {
            Napi::ThreadSafeFunction& function;
            ~Release() { function.Release(); }
          } const release{call->report};
          std::optional<DeviceSampling> sampling;
          {
            const std::lock_guard lock(device->mutex);
            device->Use();
            sampling.emplace(
                device, prepared->For(device, *state), *call->sampler, call->settings,
                [&call](int step, int steps, std::vector<float> denoised) {
                  call->Report(step, steps, std::move(denoised));
                },
                [&call] { return *static_cast<const volatile int32_t*>(call->cancelled) != 0; });
          }
          sampling->Run(call->sample, call->denoised);
          call->global_draws = sampling->global_draws();
        },
        [call](Napi::Env env) {
          auto result = Napi::Object::New(env);
          result.Set("sample", ToArray(env, call->sample));
          if (!call->denoised.empty()) result.Set("denoised", ToArray(env, call->denoised));
          result.Set("reports", call->reports);
          result.Set("globalDraws", call->global_draws);
          return result;
        },
        Task::DeviceLock::kLeft);
  }

  /// profile(plan): Promise of the milliseconds of each instruction; the plan has run before
  Napi::Value Profile(const Napi::CallbackInfo& info) {
    const auto prepared = RequirePlan(info);
    auto times = std::make_shared<std::vector<float>>();
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, times, prepared] {
          *times = prepared->For(device, *state).Profile();
        },
        [times](Napi::Env env) { return ToArray(env, *times); });
  }

  /// time(plan, times): Promise of the median milliseconds of a run on the card
  Napi::Value Time(const Napi::CallbackInfo& info) {
    const auto prepared = RequirePlan(info);
    const int times = static_cast<int>(RequireCount(info[1], "times"));
    auto median = std::make_shared<float>();
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, median, prepared, times] {
          *median = prepared->For(device, *state).TimeRuns(times);
        },
        [median](Napi::Env env) { return Napi::Number::New(env, *median); });
  }

  /// dispose(): Promise; frees the card's memory once no run is under way
  Napi::Value Dispose(const Napi::CallbackInfo& info) {
    disposed_ = true;
    return Task::Start(
        info.Env(), device_,
        [state = state_, device = device_, all = std::move(prepared_)] {
          device->Use();
          device->stream().Wait();
          for (const auto& prepared : all) prepared->plan.reset();
          state->weights.reset();
        },
        [](Napi::Env env) { return env.Undefined(); });
  }

  std::shared_ptr<Device> device_;
  std::shared_ptr<State> state_;
  std::vector<std::shared_ptr<Prepared>> prepared_;
  size_t weight_count_ = 0;
  bool disposed_ = false;
};

Napi::Value CountDevices(const Napi::CallbackInfo& info) {
  int count = 0;
  Check(cudaGetDeviceCount(&count), "looking for cards");
  return Napi::Number::New(info.Env(), count);
}

#ifdef LATENTD_CUDA_EMULATION
/// emulate({memoryBytes?, lost?}): what happens to the card
void Emulate(const Napi::CallbackInfo& info) {
  const auto settings = info[0].As<Napi::Object>();
  if (settings.Has("memoryBytes"))
    emulation::card.memory_bytes = RequireCount(settings.Get("memoryBytes"), "memoryBytes");
  if (settings.Has("lost")) emulation::card.lost = settings.Get("lost").ToBoolean().Value();
}
#endif

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  CudaDevice::Register(env, exports);
  CudaModel::Register(env, exports);
  exports.Set("countDevices", Napi::Function::New<CountDevices>(env, "countDevices"));
#ifdef LATENTD_CUDA_EMULATION
  exports.Set("emulate", Napi::Function::New<Emulate>(env, "emulate"));
#endif
  return exports;
}

}  // namespace latentd::cuda

using latentd::cuda::Init;
NODE_API_MODULE(latentd_cuda, Init)
