#include "random/generator_binding.h"

#include <algorithm>
#include <array>
#include <string>

#include "arguments.h"
#include "files/widen.h"
#include "random/philox.h"

namespace latentd {
namespace {

StoredDType DTypeArgument(const Napi::Value& value) {
  if (value.IsUndefined()) return StoredDType::kF32;
  const std::string name = RequireString(value, "dtype");
  const auto dtype = ParseStoredDType(name);
  switch (dtype.value_or(StoredDType::kBool)) {
    case StoredDType::kF64:
    case StoredDType::kF32:
    case StoredDType::kF16:
    case StoredDType::kBF16:
      return *dtype;
    default:
      throw Napi::TypeError::New(value.Env(), "dtype must be F64, F32, F16 or BF16, got " + name);
  }
}

template <typename Array>
auto Values(Array& array) {
  return std::span(array.Data(), array.ElementLength());
}

template <size_t N>
std::array<uint32_t, N> RequireWords(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array ||
      value.As<Napi::TypedArray>().ElementLength() != N) {
    throw Napi::TypeError::New(
        value.Env(), std::string(name) + " must be a Uint32Array of " + std::to_string(N) + " words");
  }
  std::array<uint32_t, N> words;
  std::copy_n(value.As<Napi::Uint32Array>().Data(), N, words.begin());
  return words;
}

Napi::Value Philox(const Napi::CallbackInfo& info) {
  const auto words = Philox4x32(RequireWords<4>(info[0], "counter"), RequireWords<2>(info[1], "key"));
  auto array = Napi::Uint32Array::New(info.Env(), words.size());
  std::copy(words.begin(), words.end(), array.Data());
  return array;
}

}  // namespace

void GeneratorBinding::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("TorchGenerator", DefineClass(env, "TorchGenerator",
                                            {
                                                InstanceMethod<&GeneratorBinding::Rand>("rand"),
                                                InstanceMethod<&GeneratorBinding::Randn>("randn"),
                                                InstanceMethod<&GeneratorBinding::Random32>("random32"),
                                            }));
}

GeneratorBinding::GeneratorBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<GeneratorBinding>(info), generator_(RequireSeed(info[0], "seed")) {}

Napi::Value GeneratorBinding::Rand(const Napi::CallbackInfo& info) {
  const uint64_t count = RequireLength(info[0], "count");
  const StoredDType dtype = DTypeArgument(info[1]);
  if (dtype == StoredDType::kF64) {
    auto array = Napi::Float64Array::New(info.Env(), count);
    generator_.Uniform(Values(array));
    return array;
  }
  auto array = Napi::Float32Array::New(info.Env(), count);
  generator_.Uniform(Values(array));
  if (dtype == StoredDType::kF32) return array;
  for (float& value : Values(array)) {
    value = RoundTo(dtype, value);
    // [0, 1): torch sends what rounding brought to 1 back to 0.
    if (value == 1.0f) value = 0.0f;
  }
  return array;
}

Napi::Value GeneratorBinding::Randn(const Napi::CallbackInfo& info) {
  const uint64_t count = RequireLength(info[0], "count");
  const StoredDType dtype = DTypeArgument(info[1]);
  if (dtype == StoredDType::kF64) {
    auto array = Napi::Float64Array::New(info.Env(), count);
    generator_.Normal(Values(array));
    return array;
  }
  auto array = Napi::Float32Array::New(info.Env(), count);
  if (dtype == StoredDType::kF32) {
    generator_.Normal(Values(array));
    return array;
  }
  generator_.NormalForNarrowTypes(Values(array));
  for (float& value : Values(array)) value = RoundTo(dtype, value);
  return array;
}

Napi::Value GeneratorBinding::Random32(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), generator_.Random32());
}

void CudaGeneratorBinding::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("CudaGenerator",
              DefineClass(env, "CudaGenerator", {InstanceMethod<&CudaGeneratorBinding::Randn>("randn")}));
  exports.Set("philox4x32", Napi::Function::New<Philox>(env, "philox4x32"));
}

CudaGeneratorBinding::CudaGeneratorBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CudaGeneratorBinding>(info),
      generator_(RequireSeed(info[0], "seed"), info[1].IsUndefined() ? CudaGenerator::kDefaultResidentThreads
                                                                     : RequireGpuThreads(info[1])) {}

Napi::Value CudaGeneratorBinding::Randn(const Napi::CallbackInfo& info) {
  auto array = Napi::Float32Array::New(info.Env(), RequireLength(info[0], "count"));
  generator_.Normal(Values(array));
  return array;
}

void BrownianTreeBinding::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("BrownianTree", DefineClass(env, "BrownianTree",
                                          {InstanceMethod<&BrownianTreeBinding::Increment>("increment")}));
}

BrownianTreeBinding::BrownianTreeBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<BrownianTreeBinding>(info),
      count_(RequireLength(info[2], "count")),
      tree_(RequireNumber(info[0], "t0"), RequireNumber(info[1], "t1"), count_, RequireSeed(info[3], "seed"),
            [](uint64_t seed, std::span<float> into) { TorchGenerator(seed).Normal(into); }) {
  if (!(RequireNumber(info[0], "t0") <= RequireNumber(info[1], "t1"))) {
    throw Napi::RangeError::New(info.Env(), "t0 must not be above t1");
  }
}

Napi::Value BrownianTreeBinding::Increment(const Napi::CallbackInfo& info) {
  const double from = RequireNumber(info[0], "from");
  const double to = RequireNumber(info[1], "to");
  if (!(from <= to)) throw Napi::RangeError::New(info.Env(), "from must not be above to");
  auto array = Napi::Float32Array::New(info.Env(), count_);
  tree_.Increment(from, to, Values(array));
  return array;
}

}  // namespace latentd
