// Typed arrays in and out of the CUDA addon.
#pragma once

#include <napi.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cuda/plan.h"

namespace latentd::cuda {

using Kept = std::vector<Napi::Reference<Napi::TypedArray>>;

/// An array for an input, which `kept` then holds.
inline HostInput ReadInput(const Napi::Value& value, const Port& port, Kept& kept) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), port.name + " must be a typed array");
  const auto array = value.As<Napi::TypedArray>();
  if (array.ElementLength() != static_cast<size_t>(port.count) || array.ElementSize() != sizeof(float)) {
    throw Napi::RangeError::New(value.Env(),
                                port.name + " must have " + std::to_string(port.count) + " values");
  }
  kept.push_back(Napi::Persistent(array));
  return {static_cast<const std::byte*>(array.ArrayBuffer().Data()) + array.ByteOffset(),
          array.ElementLength()};
}

inline Napi::Float32Array ToArray(Napi::Env env, const std::vector<float>& values) {
  auto array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

}  // namespace latentd::cuda
