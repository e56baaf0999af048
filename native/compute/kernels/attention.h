// Attention per head, a panel of kColumns queries at a time: scores lie transposed (key by query), so that
// soft maximum, sums and products all run along the queries' lanes, and no operand is transposed in memory.
#pragma once

#include "finish.h"
#include "gemm.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Keys that are scored at a time; sums over earlier ones are rescaled when a greater maximum turns up
/// (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
inline constexpr size_t kKeys = 1024;
/// Scores of hidden keys.
inline constexpr float kHidden = -1e30f;

struct AttentionBuffers {
  float *query, *scores, *sums, *pass;

  static size_t Values(size_t head_dim) { return kColumns * (3 * head_dim + kKeys); }

  AttentionBuffers(float* memory, size_t head_dim) {
    query = memory;
    scores = query + head_dim * kColumns;
    sums = scores + kKeys * kColumns;
    pass = sums + head_dim * kColumns;
  }
};

/// Turns scores into e^(score − maximum), and returns what earlier sums must be multiplied by.
inline void Exponentiate(float* scores, size_t keys, Vector maximum[2], Vector total[2], Vector rescale[2]) {
  for (size_t v = 0; v < 2; ++v) {
    float* lane = scores + v * kLanes;
    Vector top = maximum[v];
    for (size_t key = 0; key < keys; ++key) top = Max(top, Load(lane + key * kColumns));
    rescale[v] = Exp(maximum[v] - top);
    Vector sum = total[v] * rescale[v];
    for (size_t key = 0; key < keys; ++key) {
      const Vector weight = Exp(Load(lane + key * kColumns) - top);
      Store(lane + key * kColumns, weight);
      sum += weight;
    }
    maximum[v] = top;
    total[v] = sum;
  }
}

inline void AttendPanel(const AttentionArguments& a, size_t head, size_t image, size_t first,
                        AttentionBuffers& buffers) {
  const size_t d = a.head_dim;
  const size_t count = a.query_tokens - first < kColumns ? a.query_tokens - first : kColumns;
  const size_t query_stride = a.batch * a.query_tokens;
  const size_t key_stride = a.batch * a.key_tokens;
  const size_t query_at = head * d * query_stride + image * a.query_tokens + first;
  const size_t key_at = head * d * key_stride + image * a.key_tokens;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(d));
  for (size_t c = 0; c < d; ++c) {
    const float* from = a.query + query_at + c * query_stride;
    for (size_t i = 0; i < count; ++i) buffers.query[c * kColumns + i] = from[i] * scale;
    for (size_t i = count; i < kColumns; ++i) buffers.query[c * kColumns + i] = 0;
  }
  Vector maximum[2] = {Broadcast(kHidden), Broadcast(kHidden)};
  Vector total[2] = {};
  const size_t visible = !a.causal || first + count > a.key_tokens ? a.key_tokens : first + count;
  for (size_t from = 0; from < visible; from += kKeys) {
    const size_t keys = visible - from < kKeys ? visible - from : kKeys;
    const float* key = a.key + key_at + from;
    const auto key_rows = [&](size_t m) { return StridedSteps{key + m, key_stride}; };
    MultiplyPanel(keys, key_rows, buffers.query, buffers.scores, kColumns, d, false, count <= kLanes);
    if (a.causal) {
      for (size_t k = 0; k < keys; ++k) {
        for (size_t i = 0; i < kColumns && first + i < from + k; ++i)
          buffers.scores[k * kColumns + i] = kHidden;
      }
    }
    Vector rescale[2];
    Exponentiate(buffers.scores, keys, maximum, total, rescale);
    if (from > 0) {
      for (size_t c = 0; c < d; ++c) {
        for (size_t v = 0; v < 2; ++v) {
          float* sums = buffers.sums + c * kColumns + v * kLanes;
          Store(sums, Load(sums) * rescale[v]);
        }
      }
    }
    const float* value = a.value + key_at + from;
    const auto value_rows = [&](size_t m) { return StridedRows{value + m * key_stride, key_stride}; };
    MultiplyPanel(d, value_rows, buffers.scores, buffers.sums, kColumns, keys, from > 0, count <= kLanes);
  }
  for (size_t v = 0; v < 2 && v * kLanes < count; ++v) {
    const Vector inverse = 1.0f / total[v];
    const size_t lanes = count - v * kLanes < kLanes ? count - v * kLanes : kLanes;
    for (size_t c = 0; c < d; ++c) {
      float* out = a.out + query_at + c * query_stride + v * kLanes;
      const Vector result = Load(buffers.sums + c * kColumns + v * kLanes) * inverse;
      if (lanes == kLanes) {
        Store(out, result);
      } else {
        StorePart(out, result, lanes);
      }
    }
  }
}

inline void Attention(const Context& context, const AttentionArguments& a) {
  const size_t threads = context.parallel.threads;
  const size_t panels = (a.query_tokens + kColumns - 1) / kColumns;
  const size_t tasks = a.heads * a.batch * panels;
  const size_t worker_values = AttentionBuffers::Values(a.head_dim);
  float* memory = context.scratch.Get(threads * worker_values);
  size_t next = 0;
  context.parallel.For(threads, [&](size_t worker) {
    AttentionBuffers buffers(memory + worker * worker_values, a.head_dim);
    for (size_t task; (task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < tasks;) {
      const size_t panel = task % panels;
      const size_t image = task / panels % a.batch;
      AttendPanel(a, task / panels / a.batch, image, panel * kColumns, buffers);
    }
  });
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
