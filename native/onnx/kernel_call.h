// What a kernel sees of ONNX Runtime: its attributes when it is made, its operands when it runs.
#pragma once

#include <array>
#include <span>

#include "onnx/operators.h"

namespace latentd::onnx {

class Attributes {
 public:
  Attributes(const OrtKernelInfo* info, const Model& model) : info_(info), model_(model) {}

  int64_t Int(const char* name) const {
    int64_t value = 0;
    Check(api::kGetIntAttribute(info_, name, &value));
    return value;
  }

  size_t Count(const char* name) const {
    const int64_t value = Int(name);
    if (value < 0) throw std::runtime_error(std::string(name) + " must not be negative");
    return static_cast<size_t>(value);
  }

  float Float(const char* name) const {
    float value = 0;
    Check(api::kGetFloatAttribute(info_, name, &value));
    return value;
  }

  /// The weight whose place the attribute gives; it must hold `count` values.
  compute::StoredMatrix Matrix(const char* name, size_t count) const {
    const size_t place = Count(name);
    if (place >= model_.weights.size() || model_.weights[place].count != count) {
      throw std::runtime_error(std::string(name) + " names no weight of " + std::to_string(count) +
                               " values");
    }
    return model_.weights[place].values;
  }

  /// A float32 weight, or null where the attribute is −1.
  const float* Vector(const char* name, size_t count) const {
    if (Int(name) == -1) return nullptr;
    const compute::StoredMatrix values = Matrix(name, count);
    if (values.dtype != StoredDType::kF32) throw std::runtime_error(std::string(name) + " must be float32");
    return reinterpret_cast<const float*>(values.data);
  }

 private:
  const OrtKernelInfo* info_;
  const Model& model_;
};

struct Operand {
  const float* data = nullptr;
  size_t rank = 0;
  std::array<int64_t, 8> shape{};

  size_t Extent(size_t axis) const { return static_cast<size_t>(shape[axis]); }
  /// Product of the extents from `axis` on.
  size_t Count(size_t axis = 0) const {
    size_t count = 1;
    for (size_t i = axis; i < rank; ++i) count *= Extent(i);
    return count;
  }
};

/// Shape and data of a float32 tensor.
Operand DescribeValue(const OrtValue* value);

class KernelCall {
 public:
  KernelCall(OrtKernelContext* context, const Model& model)
      : context_(context), model_(model), parallel_{model.threads, Run, context} {}

  /// The operand at `index`; its data is null where an optional one was left out.
  Operand Input(size_t index) const;

  float* Output(std::span<const int64_t> shape) const;
  float* OutputLike(const Operand& operand) const {
    return Output(std::span(operand.shape.data(), operand.rank));
  }

  const compute::Kernels& kernels() const { return *model_.kernels; }
  compute::Context context() const { return {parallel_, *model_.scratch}; }

 private:
  static void Run(void* context, size_t tasks, void (*body)(void*, size_t), void* data) {
    Check(api::kParallelFor(static_cast<const OrtKernelContext*>(context), body, tasks, 0, data));
  }

  OrtKernelContext* context_;
  const Model& model_;
  compute::Parallel parallel_;
};

}  // namespace latentd::onnx
