#include "onnx/operators.h"

#include <algorithm>
#include <new>

#include "onnx/kernel_call.h"

namespace latentd::onnx {
namespace {

using compute::Activation;

void RequireRank(const Operand& operand, size_t rank) {
  if (operand.rank != rank) throw std::runtime_error("operand has rank " + std::to_string(operand.rank));
}

void RequireValues(const Operand& operand, size_t count) {
  if (operand.Count() != count) {
    throw std::runtime_error("operand has " + std::to_string(operand.Count()) + " values, not " +
                             std::to_string(count));
  }
}

/// x (I×N×H×W), per-channel sums (O×N, optional), residual (O×N×H'×W', optional) → O×N×H'×W'. More of x's
/// channels may come as further operands, in their order, as if they were one tensor.
class Convolution {
 public:
  static constexpr const char* kName = "Convolution";
  static constexpr size_t kMoreParts = 7;
  static constexpr size_t kInputs = 3 + kMoreParts;

  explicit Convolution(const Attributes& attributes)
      : inputs_(attributes.Count("inputs")),
        outputs_(attributes.Count("outputs")),
        kernel_height_(attributes.Count("kernel_height")),
        kernel_width_(attributes.Count("kernel_width")),
        stride_(attributes.Count("stride")),
        top_(attributes.Count("top")),
        left_(attributes.Count("left")),
        bottom_(attributes.Count("bottom")),
        right_(attributes.Count("right")),
        weight_(attributes.Matrix("weight", outputs_ * inputs_ * kernel_height_ * kernel_width_)),
        bias_(attributes.Vector("bias", outputs_)),
        activation_(static_cast<Activation>(attributes.Int("activation"))),
        slopes_(attributes.Vector("slopes", outputs_)) {
    if (activation_ == Activation::kLeakyRelu && slopes_ == nullptr) {
      throw std::runtime_error("a leaky relu needs slopes");
    }
  }

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    const Operand sums = call.Input(1);
    const Operand residual = call.Input(2);
    RequireRank(x, 4);
    const size_t height = x.Extent(2) + top_ + bottom_;
    const size_t width = x.Extent(3) + left_ + right_;
    const std::vector<const float*> channels = Channels(call, x);
    if (height < kernel_height_ || width < kernel_width_) {
      throw std::runtime_error("the input doesn't fit the kernel");
    }
    const size_t out_height = (height - kernel_height_) / stride_ + 1;
    const size_t out_width = (width - kernel_width_) / stride_ + 1;
    const int64_t shape[] = {static_cast<int64_t>(outputs_), x.shape[1], static_cast<int64_t>(out_height),
                             static_cast<int64_t>(out_width)};
    if (sums.data != nullptr) RequireValues(sums, outputs_ * x.Extent(1));
    if (residual.data != nullptr) RequireValues(residual, outputs_ * x.Extent(1) * out_height * out_width);
    call.kernels().convolution(call.context(), {.x = x.data,
                                                .channels = channels.empty() ? nullptr : channels.data(),
                                                .inputs = inputs_,
                                                .batch = x.Extent(1),
                                                .height = x.Extent(2),
                                                .width = x.Extent(3),
                                                .kernel_height = kernel_height_,
                                                .kernel_width = kernel_width_,
                                                .stride = stride_,
                                                .pad_top = top_,
                                                .pad_left = left_,
                                                .out_height = out_height,
                                                .out_width = out_width,
                                                .weight = weight_,
                                                .outputs = outputs_,
                                                .bias = bias_,
                                                .channel_add = sums.data,
                                                .residual = residual.data,
                                                .activation = activation_,
                                                .slopes = slopes_,
                                                .out = call.Output(shape)});
  }

 private:
  /// Where each channel lies; empty where all are in `x`.
  std::vector<const float*> Channels(const KernelCall& call, const Operand& x) const {
    if (x.Extent(0) == inputs_) return {};
    std::vector<const float*> channels;
    const auto append = [&](const Operand& part) {
      for (size_t c = 0; c < part.Extent(0); ++c) channels.push_back(part.data + c * part.Count(1));
    };
    append(x);
    for (size_t part = 0; part < kMoreParts && channels.size() < inputs_; ++part) {
      const Operand more = call.Input(3 + part);
      if (more.data == nullptr) break;
      RequireRank(more, 4);
      RequireValues(more, more.Extent(0) * x.Count(1));
      append(more);
    }
    if (channels.size() != inputs_) throw std::runtime_error("the input doesn't fit the kernel");
    return channels;
  }

  size_t inputs_, outputs_, kernel_height_, kernel_width_, stride_, top_, left_, bottom_, right_;
  compute::StoredMatrix weight_;
  const float* bias_;
  Activation activation_;
  const float* slopes_;
};

/// x (I×…), residual (O×…, optional) → O×…; GEGLU halves O.
class Linear {
 public:
  static constexpr const char* kName = "Linear";
  static constexpr size_t kInputs = 2;

  explicit Linear(const Attributes& attributes)
      : inputs_(attributes.Count("inputs")),
        outputs_(attributes.Count("outputs")),
        weight_(attributes.Matrix("weight", outputs_ * inputs_)),
        bias_(attributes.Vector("bias", outputs_)),
        activation_(static_cast<Activation>(attributes.Int("activation"))),
        slopes_(attributes.Vector("slopes", outputs_)) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    const Operand residual = call.Input(1);
    if (x.rank < 1 || x.Extent(0) != inputs_) throw std::runtime_error("the input doesn't fit the weight");
    const size_t columns = x.Count(1);
    Operand out = x;
    const size_t results = activation_ == Activation::kGeglu ? outputs_ / 2 : outputs_;
    out.shape[0] = static_cast<int64_t>(results);
    if (residual.data != nullptr) RequireValues(residual, results * columns);
    float* into = call.OutputLike(out);
    if (columns == 0) return;
    call.kernels().convolution(call.context(), {.x = x.data,
                                                .channels = nullptr,
                                                .inputs = inputs_,
                                                .batch = 1,
                                                .height = 1,
                                                .width = columns,
                                                .kernel_height = 1,
                                                .kernel_width = 1,
                                                .stride = 1,
                                                .pad_top = 0,
                                                .pad_left = 0,
                                                .out_height = 1,
                                                .out_width = columns,
                                                .weight = weight_,
                                                .outputs = outputs_,
                                                .bias = bias_,
                                                .channel_add = nullptr,
                                                .residual = residual.data,
                                                .activation = activation_,
                                                .slopes = slopes_,
                                                .out = into});
  }

 private:
  size_t inputs_, outputs_;
  compute::StoredMatrix weight_;
  const float* bias_;
  Activation activation_;
  const float* slopes_;
};

/// x (C×N×…) → the same shape.
class GroupNorm {
 public:
  static constexpr const char* kName = "GroupNorm";
  static constexpr size_t kInputs = 1;

  explicit GroupNorm(const Attributes& attributes)
      : channels_(attributes.Count("channels")),
        groups_(attributes.Count("groups")),
        weight_(attributes.Vector("weight", channels_)),
        bias_(attributes.Vector("bias", channels_)),
        epsilon_(attributes.Float("epsilon")),
        silu_(attributes.Int("silu") != 0) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    if (x.rank < 2 || x.Extent(0) != channels_) throw std::runtime_error("the input doesn't fit the weight");
    call.kernels().group_norm(call.context(), {.x = x.data,
                                               .channels = channels_,
                                               .batch = x.Extent(1),
                                               .pixels = x.Count(2),
                                               .groups = groups_,
                                               .weight = weight_,
                                               .bias = bias_,
                                               .epsilon = epsilon_,
                                               .silu = silu_,
                                               .out = call.OutputLike(x)});
  }

 private:
  size_t channels_, groups_;
  const float* weight_;
  const float* bias_;
  float epsilon_;
  bool silu_;
};

/// x (C×…) → the same shape.
class LayerNorm {
 public:
  static constexpr const char* kName = "LayerNorm";
  static constexpr size_t kInputs = 1;

  explicit LayerNorm(const Attributes& attributes)
      : channels_(attributes.Count("channels")),
        weight_(attributes.Vector("weight", channels_)),
        bias_(attributes.Vector("bias", channels_)),
        epsilon_(attributes.Float("epsilon")) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    if (x.rank < 1 || x.Extent(0) != channels_) throw std::runtime_error("the input doesn't fit the weight");
    call.kernels().layer_norm(call.context(), {.x = x.data,
                                               .channels = channels_,
                                               .columns = x.Count(1),
                                               .weight = weight_,
                                               .bias = bias_,
                                               .epsilon = epsilon_,
                                               .out = call.OutputLike(x)});
  }

 private:
  size_t channels_;
  const float* weight_;
  const float* bias_;
  float epsilon_;
};

/// query (C×N×Tq), key and value (C'×N×Tk), bias (optional; heads|1 × N|1 × Tq|1 × Tk) → C×N×Tq.
/// x ((heads·channels)×N×T) → the same shape, each head by itself.
class RmsNorm {
 public:
  static constexpr const char* kName = "RmsNorm";
  static constexpr size_t kInputs = 1;

  explicit RmsNorm(const Attributes& attributes)
      : channels_(attributes.Count("channels")),
        weight_(attributes.Vector("weight", channels_)),
        epsilon_(attributes.Float("epsilon")) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    if (x.rank < 1 || channels_ == 0 || x.Extent(0) % channels_ != 0) {
      throw std::runtime_error("the input doesn't fit the weight");
    }
    call.kernels().rms_norm(call.context(), {.x = x.data,
                                             .heads = x.Extent(0) / channels_,
                                             .channels = channels_,
                                             .columns = x.Count(1),
                                             .weight = weight_,
                                             .epsilon = epsilon_,
                                             .out = call.OutputLike(x)});
  }

 private:
  size_t channels_;
  const float* weight_;
  float epsilon_;
};

/// x ((heads·2·pairs)×N×T), cosines and sines (pairs×N×T or pairs×1×T) → the shape of x.
class Rotary {
 public:
  static constexpr const char* kName = "Rotary";
  static constexpr size_t kInputs = 3;

  explicit Rotary(const Attributes& attributes)
      : heads_(attributes.Count("heads")), halves_(attributes.Int("halves") != 0) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    const Operand cosines = call.Input(1);
    const Operand sines = call.Input(2);
    for (const Operand& operand : {x, cosines, sines}) RequireRank(operand, 3);
    const size_t pairs = cosines.Extent(0);
    const size_t table_batch = cosines.Extent(1);
    RequireValues(x, heads_ * 2 * pairs * x.Extent(1) * x.Extent(2));
    RequireValues(cosines, pairs * table_batch * x.Extent(2));
    RequireValues(sines, cosines.Count());
    if (table_batch != 1 && table_batch != x.Extent(1)) {
      throw std::runtime_error("the angles don't fit the batch");
    }
    call.kernels().rotary(call.context(), {.x = x.data,
                                           .cosines = cosines.data,
                                           .sines = sines.data,
                                           .heads = heads_,
                                           .pairs = pairs,
                                           .batch = x.Extent(1),
                                           .tokens = x.Extent(2),
                                           .table_batch = table_batch,
                                           .halves = halves_,
                                           .out = call.OutputLike(x)});
  }

 private:
  size_t heads_;
  bool halves_;
};

/// query (C×N×Tq), key and value (C×N×Tk) → C×N×Tq.
class Attention {
 public:
  static constexpr const char* kName = "Attention";
  static constexpr size_t kInputs = 4;

  explicit Attention(const Attributes& attributes)
      : heads_(attributes.Count("heads")),
        key_heads_(attributes.Count("key_heads")),
        causal_(attributes.Int("causal") != 0) {
    if (key_heads_ == 0 || heads_ % key_heads_ != 0)
      throw std::runtime_error("heads don't share keys evenly");
  }

  void Compute(const KernelCall& call) const {
    const Operand query = call.Input(0);
    const Operand key = call.Input(1);
    const Operand value = call.Input(2);
    for (const Operand& operand : {query, key, value}) RequireRank(operand, 3);
    RequireValues(key, query.Extent(0) / heads_ * key_heads_ * query.Extent(1) * key.Extent(2));
    RequireValues(value, key.Count());
    call.kernels().attention(call.context(), {.query = query.data,
                                              .key = key.data,
                                              .value = value.data,
                                              .heads = heads_,
                                              .key_heads = key_heads_,
                                              .head_dim = query.Extent(0) / heads_,
                                              .batch = query.Extent(1),
                                              .query_tokens = query.Extent(2),
                                              .key_tokens = key.Extent(2),
                                              .causal = causal_,
                                              .bias = Bias(call.Input(3), query, key),
                                              .out = call.OutputLike(query)});
  }

 private:
  compute::AttentionBias Bias(const Operand& bias, const Operand& query, const Operand& key) const {
    if (bias.data == nullptr) return {};
    RequireRank(bias, 4);
    const size_t wanted[] = {heads_, query.Extent(1), query.Extent(2), key.Extent(2)};
    for (size_t axis = 0; axis < 4; ++axis) {
      const size_t extent = bias.Extent(axis);
      if (extent != wanted[axis] && (extent != 1 || axis == 3)) {
        throw std::runtime_error("the bias doesn't fit the scores");
      }
    }
    const auto stride = [&](size_t axis) { return bias.Extent(axis) == 1 ? 0 : bias.Count(axis + 1); };
    return {bias.data, stride(0), stride(1), stride(2)};
  }

  size_t heads_, key_heads_;
  bool causal_;
};

class Activate {
 public:
  static constexpr const char* kName = "Activate";
  static constexpr size_t kInputs = 1;

  explicit Activate(const Attributes& attributes)
      : activation_(static_cast<Activation>(attributes.Int("activation"))) {}

  void Compute(const KernelCall& call) const {
    const Operand x = call.Input(0);
    call.kernels().activate(call.context(), activation_, x.data, call.OutputLike(x), x.Count());
  }

 private:
  Activation activation_;
};

/// Runs `body`; an exception becomes the status that ORT expects.
template <typename Body>
OrtStatus* Guard(const Body& body) {
  constexpr int kFail = 1;
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    return api::kCreateStatus(kFail, error.what());
  }
}

template <typename Kernel>
struct BoundKernel {
  BoundKernel(Kernel made, const Model& owner) : kernel(std::move(made)), model(owner) {}
  Kernel kernel;
  const Model& model;
};

template <typename Kernel>
void Add(Model& model, OrtCustomOpDomain* domain) {
  ModelOperator& op = *model.operators.emplace_back(std::make_unique<ModelOperator>());
  op.model = &model;
  op.get_name = [](const OrtCustomOp*) { return Kernel::kName; };
  op.get_provider = [](const OrtCustomOp*) -> const char* { return "CPUExecutionProvider"; };
  op.get_input_type = [](const OrtCustomOp*, size_t) { return ElementType::kFloat; };
  op.get_input_count = [](const OrtCustomOp*) { return Kernel::kInputs; };
  op.get_output_type = [](const OrtCustomOp*, size_t) { return ElementType::kFloat; };
  op.get_output_count = [](const OrtCustomOp*) { return size_t{1}; };
  op.get_input_characteristic = [](const OrtCustomOp*, size_t index) {
    return index == 0 ? kRequired : kOptional;
  };
  op.get_output_characteristic = [](const OrtCustomOp*, size_t) { return kRequired; };
  op.get_input_memory_type = [](const OrtCustomOp*, size_t) { return 0; };
  op.get_variadic_input_min = [](const OrtCustomOp*) { return 1; };
  op.get_variadic_input_homogeneity = [](const OrtCustomOp*) { return 1; };
  op.get_variadic_output_min = [](const OrtCustomOp*) { return 1; };
  op.get_variadic_output_homogeneity = [](const OrtCustomOp*) { return 1; };
  op.get_start_version = [](const OrtCustomOp*) { return 1; };
  op.get_end_version = [](const OrtCustomOp*) { return 1; };
  op.create_kernel_v2 = [](const OrtCustomOp* self, const void*, const OrtKernelInfo* info, void** kernel) {
    return Guard([&] {
      const Model& owner = *static_cast<const ModelOperator*>(self)->model;
      *kernel = std::make_unique<BoundKernel<Kernel>>(Kernel(Attributes(info, owner)), owner).release();
    });
  };
  op.compute_v2 = [](void* kernel, OrtKernelContext* context) {
    return Guard([&] {
      const auto& bound = *static_cast<const BoundKernel<Kernel>*>(kernel);
      bound.kernel.Compute(KernelCall(context, bound.model));
    });
  };
  op.destroy_kernel = [](void* kernel) {
    const std::unique_ptr<BoundKernel<Kernel>> owned(static_cast<BoundKernel<Kernel>*>(kernel));
  };
  Check(api::kAddToDomain(domain, &op));
}

}  // namespace

void AddOperators(Model& model, OrtCustomOpDomain* domain) {
  Add<Convolution>(model, domain);
  Add<Linear>(model, domain);
  Add<GroupNorm>(model, domain);
  Add<LayerNorm>(model, domain);
  Add<RmsNorm>(model, domain);
  Add<Rotary>(model, domain);
  Add<Attention>(model, domain);
  Add<Activate>(model, domain);
}

Operand DescribeValue(const OrtValue* value) {
  OrtTensorInfo* info = nullptr;
  Check(api::kGetTensorInfo(value, &info));
  const std::unique_ptr<OrtTensorInfo, void (*)(OrtTensorInfo*)> owned(
      info, [](OrtTensorInfo* i) { api::kReleaseTensorInfo(i); });
  Operand operand;
  Check(api::kGetRank(info, &operand.rank));
  if (operand.rank > operand.shape.size()) throw std::runtime_error("a value has too many axes");
  Check(api::kGetShape(info, operand.shape.data(), operand.rank));
  void* data = nullptr;
  Check(api::kGetTensorData(const_cast<OrtValue*>(value), &data));
  operand.data = static_cast<const float*>(data);
  return operand;
}

Operand KernelCall::Input(size_t index) const {
  const OrtValue* value = nullptr;
  Check(api::kGetInput(context_, index, &value));
  return value == nullptr ? Operand{} : DescribeValue(value);
}

float* KernelCall::Output(std::span<const int64_t> shape) const {
  OrtValue* value = nullptr;
  Check(api::kGetOutput(context_, 0, shape.data(), shape.size(), &value));
  void* data = nullptr;
  Check(api::kGetTensorData(value, &data));
  return static_cast<float*>(data);
}

}  // namespace latentd::onnx
