#include "onnx/session.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "arguments.h"
#include "files/mapped_file.h"
#include "onnx/kernel_call.h"
#include "onnx/session_state.h"

namespace latentd::onnx {
namespace {

/// Maps the pages of weights that lie in files before they are first used, in the thread that calls.
void Populate(const std::vector<Weight>& weights) {
#if defined(MADV_POPULATE_READ)
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  std::vector<std::pair<uintptr_t, uintptr_t>> runs;
  for (const Weight& weight : weights) {
    if (weight.owner == nullptr) continue;
    const auto begin = reinterpret_cast<uintptr_t>(weight.values.data);
    runs.emplace_back(begin / page * page, begin + BytesOf(weight.values.dtype, weight.count));
  }
  std::sort(runs.begin(), runs.end());
  for (size_t i = 0; i < runs.size();) {
    auto [begin, end] = runs[i];
    for (++i; i < runs.size() && runs[i].first <= end; ++i) end = std::max(end, runs[i].second);
    // An older kernel refuses; the pages are then mapped one by one as they are used.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
  }
#endif
}

/// Whether codes of the type may have scales beside them.
bool HasScalesBeside(StoredDType dtype) {
  return dtype == StoredDType::kI8 || dtype == StoredDType::kF8E4M3 || dtype == StoredDType::kF8E5M2 ||
         dtype == StoredDType::kF4;
}

/// Where a weight's scales lie in its file; that all of them do is checked here.
compute::StoredScales ReadScales(const Napi::Object& value, StoredDType dtype, const FileMap& map,
                                 uint64_t count) {
  const Napi::Env env = value.Env();
  compute::StoredScales scales;
  const uint64_t kind = RequireCount(value.Get("kind"), "scales.kind");
  scales.row_length = RequireCount(value.Get("rowLength"), "scales.rowLength");
  scales.first_row = RequireCount(value.Get("firstRow"), "scales.firstRow");
  const uint64_t offset = RequireCount(value.Get("offset"), "scales.offset");
  constexpr uint64_t kMost = uint64_t{1} << 40;
  if (kind < 1 || kind > static_cast<uint64_t>(compute::ScaleKind::kBlocksOf32)) {
    throw Napi::RangeError::New(env, "scales are of an unknown kind");
  }
  scales.kind = static_cast<compute::ScaleKind>(kind);
  const bool fours = scales.kind == compute::ScaleKind::kBlocksOf16;
  const uint64_t block = fours ? 16 : scales.kind == compute::ScaleKind::kBlocksOf32 ? 32 : 1;
  const bool fits = scales.row_length > 0 && scales.row_length < kMost && scales.first_row < kMost &&
                    count % scales.row_length == 0 && scales.row_length % block == 0 &&
                    fours == (dtype == StoredDType::kF4);
  if (!fits) throw Napi::RangeError::New(env, "scales don't fit their weight");
  const uint64_t rows = scales.first_row + count / scales.row_length;
  uint64_t bytes = 0;
  if (scales.kind == compute::ScaleKind::kRows) {
    bytes = rows * sizeof(float);
  } else if (block > 1) {
    bytes = (rows + 127) / 128 * ((scales.row_length / block + 3) / 4) * 512;
  }
  if (offset > map.size() || bytes > map.size() - offset) {
    throw Napi::RangeError::New(env, "a weight's scales lie beyond the end of its file");
  }
  scales.data = map.data() + offset;
  return scales;
}

Weight ReadWeight(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  if (value.IsTypedArray()) {
    const auto values = RequireFloat32Array(value, "weight");
    return {
        {reinterpret_cast<const std::byte*>(values.data()), StoredDType::kF32, 1.0f}, values.size(), nullptr};
  }
  if (!value.IsObject()) throw Napi::TypeError::New(env, "a weight must be a Float32Array or lie in a file");
  const auto stored = value.As<Napi::Object>();
  const auto map = MappedFile::MapOf(stored.Get("file"), "weight.file");
  const uint64_t offset = RequireCount(stored.Get("offset"), "weight.offset");
  const uint64_t count = RequireCount(stored.Get("count"), "weight.count");
  const std::string name = RequireString(stored.Get("dtype"), "weight.dtype");
  const auto dtype = ParseStoredDType(name);
  const Napi::Value beside = stored.Get("scales");
  const bool in_place = dtype && RowOf(*dtype).use == DTypeUse::kInPlace;
  if (!dtype || !(beside.IsObject() ? HasScalesBeside(*dtype) : in_place)) {
    throw Napi::TypeError::New(env, "kernels can't use weights of the type " + name + " where they lie");
  }
  if (offset > map->size() || BytesOf(*dtype, count) > map->size() - offset) {
    throw Napi::RangeError::New(env, "a weight lies beyond the end of its file");
  }
  if (count % RowOf(*dtype).block_values != 0) {
    throw Napi::RangeError::New(env, "a weight must be whole blocks of its type");
  }
  const Napi::Value scale = stored.Get("scale");
  const float factor = scale.IsNumber() ? scale.As<Napi::Number>().FloatValue() : 1.0f;
  compute::StoredScales scales;
  if (beside.IsObject()) scales = ReadScales(beside.As<Napi::Object>(), *dtype, *map, count);
  return {{map->data() + offset, *dtype, factor, scales}, count, map};
}

NamedTensor ReadInput(const Napi::Object& input) {
  NamedTensor tensor;
  tensor.name = RequireString(input.Get("name"), "input.name");
  const Napi::Value data = input.Get("data");
  if (!data.IsTypedArray()) throw Napi::TypeError::New(input.Env(), "input.data must be a typed array");
  const auto array = data.As<Napi::TypedArray>();
  if (array.TypedArrayType() == napi_float32_array) {
    tensor.data = array.As<Napi::Float32Array>().Data();
  } else if (array.TypedArrayType() == napi_int32_array) {
    tensor.type = ElementType::kInt32;
    tensor.data = array.As<Napi::Int32Array>().Data();
  } else {
    throw Napi::TypeError::New(input.Env(), "input.data must be a Float32Array or an Int32Array");
  }
  tensor.bytes = array.ByteLength();
  const auto shape = input.Get("shape").As<Napi::Array>();
  uint64_t count = 1;
  for (uint32_t axis = 0; axis < shape.Length(); ++axis) {
    const uint64_t extent = RequireCount(shape.Get(axis), "input.shape");
    tensor.shape.push_back(static_cast<int64_t>(extent));
    count *= extent;
  }
  if (count != array.ElementLength()) {
    throw Napi::RangeError::New(input.Env(),
                                "input " + tensor.name + " doesn't have as many values as its shape");
  }
  return tensor;
}

/// A task on a thread of Node's pool that settles a promise.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  explicit PromiseWorker(Napi::Env env)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise Start() {
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }
  Napi::Promise::Deferred deferred_;
};

/// The type of a value; models of others may give any.
ElementType TypeOf(const OrtValue* value) {
  OrtTensorInfo* info = nullptr;
  Check(api::kGetTensorInfo(value, &info));
  const std::unique_ptr<OrtTensorInfo, void (*)(OrtTensorInfo*)> owned(
      info, [](OrtTensorInfo* i) { api::kReleaseTensorInfo(i); });
  ElementType type{};
  Check(api::kGetElementType(info, &type));
  return type;
}

class LoadWorker : public PromiseWorker {
 public:
  using Done = std::function<void(std::shared_ptr<SessionState>)>;
  LoadWorker(Napi::Env env, std::string library, std::string model, std::vector<Weight> weights,
             SessionOptions options, Done done)
      : PromiseWorker(env),
        library_(std::move(library)),
        model_(std::move(model)),
        weights_(std::move(weights)),
        options_(std::move(options)),
        done_(std::move(done)) {}

 protected:
  void Execute() override {
    OrtEnv* env = LoadRuntime(library_);
    Populate(weights_);
    state_ = std::make_shared<SessionState>(env, model_, std::move(weights_), options_);
  }
  void OnOK() override {
    done_(std::move(state_));
    deferred_.Resolve(Env().Undefined());
  }

 private:
  std::string library_, model_;
  std::vector<Weight> weights_;
  SessionOptions options_;
  Done done_;
  std::shared_ptr<SessionState> state_;
};

class RunWorker : public PromiseWorker {
 public:
  RunWorker(Napi::Env env, std::shared_ptr<SessionState> state, std::vector<NamedTensor> inputs,
            std::vector<std::string> outputs, std::shared_ptr<Napi::ObjectReference> weights,
            const Napi::Object& input_values)
      : PromiseWorker(env),
        state_(std::move(state)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        weights_(std::move(weights)),
        input_values_(Napi::Persistent(input_values)) {}

 protected:
  void Execute() override {
    results_ = state_->Run(inputs_, outputs_);
    for (size_t i = 0; i < results_.size(); ++i) {
      const ElementType type = TypeOf(results_[i].get());
      if (type != ElementType::kFloat && type != ElementType::kInt32) {
        throw std::runtime_error("the output " + outputs_[i] + " isn't of float32 or int32");
      }
      whole_.push_back(type == ElementType::kInt32);
    }
  }
  void OnOK() override {
    auto results = Napi::Array::New(Env(), results_.size());
    for (size_t i = 0; i < results_.size(); ++i) {
      const Operand value = DescribeValue(results_[i].get());
      auto shape = Napi::Array::New(Env(), value.rank);
      for (size_t axis = 0; axis < value.rank; ++axis) {
        shape.Set(static_cast<uint32_t>(axis), static_cast<double>(value.shape[axis]));
      }
      auto data = Napi::Float32Array::New(Env(), value.Count());
      const size_t count = value.Count();
      if (whole_[i]) {
        const auto* numbers = reinterpret_cast<const int32_t*>(value.data);
        std::transform(numbers, numbers + count, data.Data(),
                       [](int32_t n) { return static_cast<float>(n); });
      } else if (count > 0) {
        std::memcpy(data.Data(), value.data, count * sizeof(float));
      }
      auto result = Napi::Object::New(Env());
      result.Set("isWhole", static_cast<bool>(whole_[i]));
      result.Set("shape", shape);
      result.Set("data", data);
      results.Set(static_cast<uint32_t>(i), result);
    }
    deferred_.Resolve(results);
  }

 private:
  std::shared_ptr<SessionState> state_;
  std::vector<NamedTensor> inputs_;
  std::vector<std::string> outputs_;
  // Held so that neither the weights nor the inputs are collected while they are read.
  std::shared_ptr<Napi::ObjectReference> weights_;
  Napi::ObjectReference input_values_;
  std::vector<Value> results_;
  /// Of each result, whether it holds whole numbers.
  std::vector<bool> whole_;
};

class OnnxSession : public Napi::ObjectWrap<OnnxSession> {
 public:
  explicit OnnxSession(const Napi::CallbackInfo& info) : Napi::ObjectWrap<OnnxSession>(info) {}

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "OnnxSession",
        {InstanceMethod<&OnnxSession::Load>("load"), InstanceMethod<&OnnxSession::Run>("run"),
         InstanceMethod<&OnnxSession::Cancel>("cancel"), InstanceMethod<&OnnxSession::Names>("names"),
         InstanceMethod<&OnnxSession::Dispose>("dispose")});
  }

 private:
  Napi::Value Load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::string library = RequireString(info[0], "library");
    if (!info[1].IsTypedArray()) throw Napi::TypeError::New(env, "model must be a Uint8Array");
    const auto bytes = info[1].As<Napi::Uint8Array>();
    std::string model(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
    if (!info[2].IsArray()) throw Napi::TypeError::New(env, "weights must be an array");
    const auto list = info[2].As<Napi::Array>();
    std::vector<Weight> weights;
    for (uint32_t i = 0; i < list.Length(); ++i) weights.push_back(ReadWeight(list.Get(i)));
    if (!info[3].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
    const auto given = info[3].As<Napi::Object>();
    SessionOptions options;
    options.threads = RequireCount(given.Get("threads"), "options.threads");
    if (options.threads == 0) throw Napi::RangeError::New(env, "options.threads must be at least 1");
    if (given.Has("foreign")) options.foreign = given.Get("foreign").ToBoolean();
    if (given.Has("profile")) options.profile = RequireString(given.Get("profile"), "options.profile");
    if (given.Has("kernels")) options.kernels = RequireString(given.Get("kernels"), "options.kernels");
    if (given.Has("precision")) {
      const std::string precision = RequireString(given.Get("precision"), "options.precision");
      if (precision != "fp32" && precision != "bf16") {
        throw Napi::RangeError::New(env, "options.precision must be fp32 or bf16, got " + precision);
      }
      if (precision == "bf16") options.precision = compute::Precision::kBf16;
    }
    weights_ = std::make_shared<Napi::ObjectReference>(Napi::Persistent(list.As<Napi::Object>()));
    const auto self =
        std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
    auto worker = std::make_unique<LoadWorker>(
        env, library, std::move(model), std::move(weights), std::move(options),
        [this, self](std::shared_ptr<SessionState> state) { state_ = std::move(state); });
    return worker.release()->Start();
  }

  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (state_ == nullptr) throw Napi::Error::New(env, "the session isn't loaded");
    if (!info[0].IsArray() || !info[1].IsArray()) {
      throw Napi::TypeError::New(env, "inputs and outputs must be arrays");
    }
    const auto given = info[0].As<Napi::Array>();
    std::vector<NamedTensor> inputs;
    for (uint32_t i = 0; i < given.Length(); ++i) {
      const Napi::Value input = given.Get(i);
      if (!input.IsObject()) throw Napi::TypeError::New(env, "each input must be an object");
      inputs.push_back(ReadInput(input.As<Napi::Object>()));
    }
    const auto names = info[1].As<Napi::Array>();
    std::vector<std::string> outputs;
    for (uint32_t i = 0; i < names.Length(); ++i) outputs.push_back(RequireString(names.Get(i), "output"));
    auto worker =
        std::make_unique<RunWorker>(env, state_, std::move(inputs), std::move(outputs), weights_, given);
    return worker.release()->Start();
  }

  void Cancel(const Napi::CallbackInfo& info) {
    if (state_ == nullptr) return;
    try {
      state_->Cancel();
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

  Napi::Value Names(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (state_ == nullptr) throw Napi::Error::New(env, "the session isn't loaded");
    const auto list = [env](const std::vector<std::string>& names) {
      auto result = Napi::Array::New(env, names.size());
      for (size_t i = 0; i < names.size(); ++i) result.Set(static_cast<uint32_t>(i), names[i]);
      return result;
    };
    try {
      auto result = Napi::Object::New(env);
      result.Set("inputs", list(state_->InputNames()));
      result.Set("outputs", list(state_->OutputNames()));
      return result;
    } catch (const std::exception& error) {
      throw Napi::Error::New(env, error.what());
    }
  }

  void Dispose(const Napi::CallbackInfo&) {
    // A run under way holds both until it ends.
    state_.reset();
    weights_.reset();
  }

  std::shared_ptr<Napi::ObjectReference> weights_;
  std::shared_ptr<SessionState> state_;
};

}  // namespace

void RegisterSession(Napi::Env env, Napi::Object exports) {
  exports.Set("OnnxSession", OnnxSession::Define(env));
  exports.Set("hasFastBf16", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return Napi::Boolean::New(info.Env(),
                                          compute::AvailableKernels(compute::Precision::kBf16).size() > 1);
              }));
}

}  // namespace latentd::onnx
