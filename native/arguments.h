// Checks of arguments at the addon's door: each returns a plain value or throws a TypeError or RangeError
// that names the argument. Code behind the door trusts its input.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string>

namespace latentd {

/// A whole number in [0, 2^53), such as a count or a byte offset.
inline uint64_t RequireCount(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a number");
  }
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number < 9007199254740992.0) ||
      number != static_cast<double>(static_cast<uint64_t>(number))) {
    throw Napi::RangeError::New(value.Env(),
                                std::string(name) + " must be a whole number that is not negative");
  }
  return static_cast<uint64_t>(number);
}

/// A number of elements for a new array.
inline uint64_t RequireLength(const Napi::Value& value, const char* name) {
  const uint64_t length = RequireCount(value, name);
  if (length > uint64_t{1} << 31) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be at most 2^31");
  }
  return length;
}

/// A 64-bit seed as a bigint in [-2^63, 2^64); negative ones wrap around, as in torch.
inline uint64_t RequireSeed(const Napi::Value& value, const char* name) {
  if (!value.IsBigInt()) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a bigint");
  }
  bool lossless = false;
  const uint64_t bits = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (lossless) return bits;
  const int64_t negative = value.As<Napi::BigInt>().Int64Value(&lossless);
  if (!lossless) throw Napi::RangeError::New(value.Env(), std::string(name) + " must fit in 64 bits");
  return static_cast<uint64_t>(negative);
}

inline double RequireNumber(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a number");
  }
  return value.As<Napi::Number>().DoubleValue();
}

inline double RequirePositive(const Napi::Value& value, const char* name) {
  const double number = RequireNumber(value, name);
  if (!(number > 0)) throw Napi::RangeError::New(value.Env(), std::string(name) + " must be above 0");
  return number;
}

/// How many threads a GPU holds at once, at least one block of 256.
inline uint64_t RequireGpuThreads(const Napi::Value& value) {
  const uint64_t threads = RequireCount(value, "gpuThreads");
  if (threads < 256) throw Napi::RangeError::New(value.Env(), "gpuThreads must be at least 256");
  return threads;
}

inline std::string RequireString(const Napi::Value& value, const char* name) {
  if (!value.IsString()) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a string");
  }
  return value.As<Napi::String>().Utf8Value();
}

/// The values of a Float32Array. The span is good until the call into the addon returns.
inline std::span<float> RequireFloat32Array(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Float32Array");
  }
  auto array = value.As<Napi::Float32Array>();
  return {array.Data(), array.ElementLength()};
}

}  // namespace latentd
