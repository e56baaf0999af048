#include "random/generator_binding.h"

#include <optional>
#include <string>

#include "arguments.h"
#include "widen.h"

namespace latentd {
namespace {

StoredDType DTypeArgument(const Napi::Value& value) {
  if (value.IsUndefined()) return StoredDType::kF32;
  const std::string name = RequireString(value, "dtype");
  const auto dtype = ParseStoredDType(name);
  if (!dtype) throw Napi::TypeError::New(value.Env(), "dtype must be F64, F32, F16 or BF16, got " + name);
  return *dtype;
}

template <typename Array>
auto Values(Array& array) {
  return std::span(array.Data(), array.ElementLength());
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

}  // namespace latentd
