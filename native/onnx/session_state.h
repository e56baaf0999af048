// A session without JavaScript: made, run and destroyed on any thread.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "onnx/operators.h"

namespace latentd::onnx {

/// A value that goes in or came out.
struct NamedTensor {
  std::string name;
  ElementType type = ElementType::kFloat;
  std::vector<int64_t> shape;
  void* data = nullptr;
  size_t bytes = 0;
};

/// Owns one OrtValue.
class Value {
 public:
  explicit Value(OrtValue* value = nullptr) : value_(value) {}
  ~Value() {
    if (value_ != nullptr) api::kReleaseValue(value_);
  }
  Value(Value&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  OrtValue* get() const { return value_; }

 private:
  OrtValue* value_;
};

struct SessionOptions {
  size_t threads = 1;
  /// Prefix of ORT's profile, written when the session is released; empty for none.
  std::string profile;
  /// Name of the kernels to run; the fastest where empty.
  std::string kernels;
  compute::Precision precision = compute::Precision::kFp32;
  /// A model from elsewhere: none of our operators are there for it, all of ORT's optimizations are.
  bool foreign = false;
};

class SessionState {
 public:
  /// Throws std::runtime_error with ORT's message when the model is refused.
  SessionState(OrtEnv* env, const std::string& model, std::vector<Weight> weights,
               const SessionOptions& options);
  ~SessionState();
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;

  /// One run at a time; a second caller waits.
  std::vector<Value> Run(const std::vector<NamedTensor>& inputs, const std::vector<std::string>& outputs);
  /// Ends the run under way, if any, with an error. May be called on any thread.
  void Cancel();
  std::vector<std::string> InputNames() const;
  std::vector<std::string> OutputNames() const;

 private:
  using CountOf = OrtStatus* (*)(const OrtSession*, size_t*);
  using NameOf = OrtStatus* (*)(const OrtSession*, size_t, OrtAllocator*, char**);
  std::vector<std::string> Names(CountOf count, NameOf name) const;

  Model model_;
  OrtCustomOpDomain* domain_ = nullptr;
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  OrtRunOptions* run_ = nullptr;
  std::mutex mutex_;
};

}  // namespace latentd::onnx
