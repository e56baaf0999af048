// The CPU's arithmetic: every operation of the compute graph that is worth a kernel of ours, in one table per
// instruction set. Tensors are channel-major: C×N×H×W for images, C×N×T for token sequences, C×N for vectors,
// so that a layer's columns (pixels, tokens) are contiguous and weights are used in the row order in which
// checkpoints store them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "files/widen.h"

namespace latentd::compute {

/// How a weight's scales lie beside it (src/native/kernel-numbers.ts has the same): one for all values, a
/// float32 for each row, or a byte for each block of a row, in tiles of 128 rows × 4 blocks as cuBLAS takes
/// them: e4m3 for 16 values, or powers of two for 32.
enum class ScaleKind { kNone, kOne, kRows, kBlocksOf16, kBlocksOf32 };

struct StoredScales {
  ScaleKind kind = ScaleKind::kNone;
  const std::byte* data = nullptr;
  size_t row_length = 0;
  /// The row of the scales that the weight's first row has.
  size_t first_row = 0;
};

/// A weight where it lies: O×I(×kH×kW), rows contiguous, not necessarily aligned. Values are widened to
/// float32 in the cache, block by block, each time they are used: cheaper than holding a widened copy.
struct StoredMatrix {
  const std::byte* data;
  StoredDType dtype;
  /// What every value is multiplied by.
  float scale = 1.0f;
  StoredScales scales = {};
};

/// kLeakyRelu multiplies negative values by their channel's slope.
enum class Activation { kNone, kSilu, kGelu, kQuickGelu, kGeglu, kLeakyRelu, kGeluTanh };

/// Runs tasks on the threads of whoever calls; `For` returns when all are done.
struct Parallel {
  size_t threads;
  void (*run)(void* context, size_t tasks, void (*body)(void* data, size_t task), void* data);
  void* context;

  template <typename Body>
  void For(size_t tasks, const Body& body) const {
    if (tasks <= 1 || threads <= 1) {
      for (size_t task = 0; task < tasks; ++task) body(task);
      return;
    }
    run(
        context, tasks, [](void* data, size_t task) { (*static_cast<const Body*>(data))(task); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }
};

/// Working memory that outlives one operation, so that its pages are touched once.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// At least `floats` values, aligned to a cache line; what was there before is lost. Throws std::bad_alloc.
  float* Get(size_t floats);
  size_t bytes() const { return bytes_; }

 private:
  void* memory_ = nullptr;
  size_t bytes_ = 0;
};

struct Context {
  const Parallel& parallel;
  Scratch& scratch;
};

/// Group norm's result is x·scale + shift per channel and batch row, with `silu` on top, applied while x is
/// read.
struct ConvolutionArguments {
  const float* x;                // I×N×H×W, or null where `channels` says where each lies
  const float* const* channels;  // I planes of N×H×W, or null
  size_t inputs, batch, height, width;
  size_t kernel_height, kernel_width, stride, pad_top, pad_left;
  size_t out_height, out_width;
  StoredMatrix weight;  // O×I×kH×kW
  size_t outputs;
  const float* bias;         // O, or null
  const float* channel_add;  // O×N, or null
  const float* residual;     // O×N×H'×W', or null
  Activation activation;     // before the residual is added; kGeglu halves O
  const float* slopes;       // O, for kLeakyRelu
  float* out;

  /// The N×H×W values of an input channel.
  const float* Channel(size_t channel) const {
    return channels != nullptr ? channels[channel] : x + channel * batch * height * width;
  }
  float Slope(size_t channel) const { return slopes == nullptr ? 1 : slopes[channel]; }
};

struct GroupNormArguments {
  const float* x;  // C×N×P
  size_t channels, batch, pixels, groups;
  const float* weight;
  const float* bias;
  float epsilon;
  bool silu;
  float* out;
};

struct LayerNormArguments {
  const float* x;  // C×J
  size_t channels, columns;
  const float* weight;
  const float* bias;
  float epsilon;
  float* out;
};

/// Added to scores; a stride of 0 repeats one value along its axis.
struct AttentionBias {
  const float* data;  // null where there is none
  size_t head_stride, batch_stride, query_stride;
};

/// Queries have as many heads as keys and values, or a multiple: then that many heads in a row share theirs.
struct AttentionArguments {
  const float* query;  // (heads·d)×N×Tq
  const float* key;    // (key heads·d)×N×Tk
  const float* value;  // (key heads·d)×N×Tk
  size_t heads, key_heads, head_dim, batch, query_tokens, key_tokens;
  bool causal;
  AttentionBias bias;
  float* out;  // (heads·d)×N×Tq
};

struct RmsNormArguments {
  const float* x;  // (heads·channels)×columns
  size_t heads, channels, columns;
  const float* weight;  // channels, or null
  float epsilon;
  float* out;
};

/// Pairs of channels turned by angles that are the same for all heads, and for all of `batch` where the
/// tables have one row.
struct RotaryArguments {
  const float* x;        // (heads·2·pairs)×batch×tokens
  const float* cosines;  // pairs×table_batch×tokens
  const float* sines;
  size_t heads, pairs, batch, tokens, table_batch;
  /// A pair's channels are `pairs` apart, not neighbours.
  bool halves;
  float* out;
};

struct Kernels {
  const char* name;
  /// Convolutions, and linear layers as 1×1 convolutions over one row of columns.
  void (*convolution)(const Context&, const ConvolutionArguments&);
  void (*group_norm)(const Context&, const GroupNormArguments&);
  void (*layer_norm)(const Context&, const LayerNormArguments&);
  void (*rms_norm)(const Context&, const RmsNormArguments&);
  void (*rotary)(const Context&, const RotaryArguments&);
  void (*attention)(const Context&, const AttentionArguments&);
  /// Pointwise over `count` values.
  void (*activate)(const Context&, Activation, const float* x, float* out, size_t count);
};

/// What operands of products are rounded to; sums and everything else are float32 in any case.
enum class Precision { kFp32, kBf16 };

/// The tables that this processor can run, the fastest first. The last, which every processor can run, has no
/// arithmetic of bfloat16 to rely on: rounding then costs time instead of saving it.
std::span<const Kernels* const> AvailableKernels(Precision precision);

}  // namespace latentd::compute
