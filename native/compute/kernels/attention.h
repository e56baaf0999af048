// Attention per head, a panel of kColumns queries at a time: scores lie transposed (key by query), so that
// soft maximum, sums and products all run along the queries' lanes, and no operand is transposed in memory.
#pragma once

#include "compute/kernels/finish.h"
#include "compute/kernels/gemm.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Keys that are scored at a time; sums over earlier ones are rescaled when a greater maximum turns up
/// (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
inline constexpr size_t kKeys = 1024;
/// Scores of hidden keys. What is no number stays so, as where a mask of −∞ is added to it.
inline float Hidden(float score) { return (score - score) - 1e30f; }

/// Queries that see a block of keys before the next block is packed.
inline constexpr size_t kMostPanelsTogether = 8;
inline constexpr size_t kValueStride = kKeys + 16;

/// Panels [first_panel, first_panel + panels) of one head of one image.
struct AttentionTask {
  size_t head, image, first_panel, panels;
};

/// What is known of a panel's queries between blocks of keys.
struct PanelState {
  Vector maximum[2], total[2];
};

/// One thread's working memory.
template <typename Steps>
struct AttentionBuffers {
  float *queries, *sums;  // a panel after the other: channel by query
  float *keys, *values;   // one block of keys: kRows keys at a time, channel by key; and channel by key
  float* scores;          // key by query
  float* line;            // one step of all keys of a block
  PanelState states[kMostPanelsTogether];

  static size_t Values(size_t head_dim) {
    const size_t panels = kMostPanelsTogether * head_dim * kColumns;
    return 2 * panels + (kKeys + kRows) * head_dim + kValueStride * head_dim + kKeys * kColumns + kKeys +
           kLanes;
  }

  AttentionBuffers(float* memory, size_t head_dim) {
    const size_t panels = kMostPanelsTogether * head_dim * kColumns;
    queries = memory;
    sums = queries + panels;
    scores = sums + panels;
    values = scores + kKeys * kColumns;
    line = values + kValueStride * head_dim;
    keys = line + kKeys + kLanes;
  }
};

/// A packed key block as rows of scores.
struct PackedKeys {
  const float* at;
  const float* operator()(size_t row, size_t k) const { return at + k * kRows + row; }
};

/// Turns scores into e^(score − maximum) in steps of keys, and returns what earlier sums must be multiplied
/// by.
template <typename Steps>
inline void Exponentiate(float* scores, size_t keys, Vector maximum[2], Vector total[2], Vector rescale[2]) {
  for (size_t v = 0; v < 2; ++v) {
    float* lane = scores + v * kLanes;
    Vector top = maximum[v];
    for (size_t key = 0; key < keys; ++key) top = Max(top, Load(lane + key * kColumns));
    rescale[v] = Exp(maximum[v] - top);
    Vector sum = total[v] * rescale[v];
    for (size_t key = 0; key < keys; key += Steps::kValues) {
      const Vector weight = Exp(Load(lane + key * kColumns) - top);
      sum += weight;
      Vector second{};
      if (Steps::kValues == 2 && key + 1 < keys) {
        second = Exp(Load(lane + (key + 1) * kColumns) - top);
        sum += second;
      }
      Store(lane + key / Steps::kValues * kColumns, Steps::Join(weight, second));
    }
    maximum[v] = top;
    total[v] = sum;
  }
}

/// Lays `keys` keys and values from `from` on out for the products: rows of a head lie a power of two apart
/// as a rule, which few caches bear.
template <typename Steps>
inline void PackKeys(const AttentionArguments& a, const AttentionTask& task, size_t from, size_t keys,
                     const AttentionBuffers<Steps>& buffers) {
  const size_t stride = a.batch * a.key_tokens;
  const size_t head = task.head / (a.heads / a.key_heads);
  const size_t at = head * a.head_dim * stride + task.image * a.key_tokens + from;
  const size_t steps = StepsOf<Steps>(a.head_dim);
  for (size_t c = 0; c < a.head_dim; c += Steps::kValues) {
    const float* key = a.key + at + c * stride;
    const float* line = key;
    if constexpr (Steps::kValues == 2) {
      const bool paired = c + 1 < a.head_dim;
      for (size_t i = 0; i < keys; i += kLanes) {
        const size_t lanes = keys - i < kLanes ? keys - i : kLanes;
        const Vector second = paired ? LoadUpTo(key + stride + i, lanes) : Vector{};
        Store(buffers.line + i, Steps::Join(LoadUpTo(key + i, lanes), second));
      }
      line = buffers.line;
    }
    for (size_t block = 0; block < keys; block += kRows) {
      float* into = buffers.keys + block * steps + c / Steps::kValues * kRows;
      const size_t count = keys - block < kRows ? keys - block : kRows;
      for (size_t i = 0; i < count; ++i) std::memcpy(into + i, line + block + i, sizeof(float));
    }
  }
  for (size_t c = 0; c < a.head_dim; ++c) {
    const float* value = a.value + at + c * stride;
    float* row = buffers.values + c * kValueStride;
    if constexpr (Steps::kValues == 1) {
      std::memcpy(row, value, keys * sizeof(float));
    } else {
      for (size_t i = 0; i < keys; i += kLanes) {
        Steps::StoreRow(row, i, LoadUpTo(value + i, keys - i < kLanes ? keys - i : kLanes));
      }
    }
  }
}

template <typename Steps>
inline void LoadQueries(const AttentionArguments& a, const AttentionTask& task, size_t panel, float* into) {
  const size_t stride = a.batch * a.query_tokens;
  const size_t first = (task.first_panel + panel) * kColumns;
  const size_t count = a.query_tokens - first < kColumns ? a.query_tokens - first : kColumns;
  const float* from = a.query + task.head * a.head_dim * stride + task.image * a.query_tokens + first;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.head_dim));
  for (size_t lane = 0; lane < kColumns; lane += kLanes) {
    const size_t left = count > lane ? count - lane : 0;
    const size_t lanes = left < kLanes ? left : kLanes;
    const auto row = [&](size_t c) {
      return c < a.head_dim && lanes > 0 ? LoadUpTo(from + c * stride + lane, lanes) * scale : Vector{};
    };
    for (size_t c = 0; c < a.head_dim; c += Steps::kValues) {
      Store(into + c / Steps::kValues * kColumns + lane,
            Steps::Join(row(c), Steps::kValues == 2 ? row(c + 1) : Vector{}));
    }
  }
}

/// Adds the bias of one panel's queries and keys [from, from + keys) to their scores.
inline void AddBias(const AttentionArguments& a, const AttentionTask& task, size_t first_query, size_t from,
                    size_t keys, float* scores) {
  const AttentionBias& bias = a.bias;
  const float* rows = bias.data + task.head * bias.head_stride + task.image * bias.batch_stride + from;
  if (bias.query_stride == 0) {
    for (size_t k = 0; k < keys; ++k) {
      for (size_t lane = 0; lane < kColumns; lane += kLanes) {
        float* at = scores + k * kColumns + lane;
        Store(at, Load(at) + rows[k]);
      }
    }
    return;
  }
  const size_t left = a.query_tokens - first_query;
  const size_t queries = left < kColumns ? left : kColumns;
  for (size_t i = 0; i < queries; ++i) {
    const float* row = rows + (first_query + i) * bias.query_stride;
    for (size_t k = 0; k < keys; ++k) scores[k * kColumns + i] += row[k];
  }
}

/// Lets one panel's queries see the packed keys [from, from + keys).
template <typename Steps>
inline void AttendBlock(const AttentionArguments& a, const AttentionTask& task, size_t first_query,
                        size_t from, size_t keys, const float* queries, float* sums, PanelState& state,
                        const AttentionBuffers<Steps>& buffers) {
  const size_t d = a.head_dim;
  const size_t steps = StepsOf<Steps>(d);
  const bool narrow = a.query_tokens - first_query <= kLanes;
  const auto key_rows = [&](size_t m) { return PackedKeys{buffers.keys + m * steps}; };
  MultiplyPanel<Steps>(keys, key_rows, queries, buffers.scores, kColumns, steps, false, narrow, nullptr);
  if (a.bias.data != nullptr) AddBias(a, task, first_query, from, keys, buffers.scores);
  if (a.causal) {
    for (size_t k = 0; k < keys; ++k) {
      for (size_t i = 0; i < kColumns && first_query + i < from + k; ++i) {
        float& score = buffers.scores[k * kColumns + i];
        score = Hidden(score);
      }
    }
  }
  Vector rescale[2];
  Exponentiate<Steps>(buffers.scores, keys, state.maximum, state.total, rescale);
  if (from > 0) {
    for (size_t at = 0; at < d * kColumns; at += kLanes) {
      Store(sums + at, Load(sums + at) * rescale[at / kLanes % 2]);
    }
  }
  const auto value_rows = [&](size_t m) { return RowMajor<kValueStride>{buffers.values + m * kValueStride}; };
  MultiplyPanel<Steps>(d, value_rows, buffers.scores, sums, kColumns, StepsOf<Steps>(keys), from > 0, narrow,
                       nullptr);
}

inline void StoreResults(const AttentionArguments& a, const AttentionTask& task, size_t panel,
                         const float* sums, const PanelState& state) {
  const size_t stride = a.batch * a.query_tokens;
  const size_t first = (task.first_panel + panel) * kColumns;
  const size_t count = a.query_tokens - first < kColumns ? a.query_tokens - first : kColumns;
  float* out = a.out + task.head * a.head_dim * stride + task.image * a.query_tokens + first;
  for (size_t v = 0; v < 2 && v * kLanes < count; ++v) {
    const Vector inverse = 1.0f / state.total[v];
    const size_t lanes = count - v * kLanes < kLanes ? count - v * kLanes : kLanes;
    for (size_t c = 0; c < a.head_dim; ++c) {
      const Vector result = Load(sums + c * kColumns + v * kLanes) * inverse;
      if (lanes == kLanes) {
        Store(out + c * stride + v * kLanes, result);
      } else {
        StorePart(out + c * stride + v * kLanes, result, lanes);
      }
    }
  }
}

template <typename Steps>
inline void Attend(const AttentionArguments& a, const AttentionTask& task, AttentionBuffers<Steps>& buffers) {
  const size_t panel_values = a.head_dim * kColumns;
  for (size_t panel = 0; panel < task.panels; ++panel) {
    LoadQueries<Steps>(a, task, panel, buffers.queries + panel * panel_values);
    // Where no score is greater, their exponentials are NaN, as torch's are.
    const Vector least = Broadcast(-__builtin_inff());
    buffers.states[panel] = {{least, least}, {Vector{}, Vector{}}};
  }
  const size_t end = (task.first_panel + task.panels) * kColumns;
  const size_t visible = a.causal && end < a.key_tokens ? end : a.key_tokens;
  for (size_t from = 0; from < visible; from += kKeys) {
    const size_t keys = visible - from < kKeys ? visible - from : kKeys;
    PackKeys<Steps>(a, task, from, keys, buffers);
    for (size_t panel = 0; panel < task.panels; ++panel) {
      AttendBlock<Steps>(a, task, (task.first_panel + panel) * kColumns, from, keys,
                         buffers.queries + panel * panel_values, buffers.sums + panel * panel_values,
                         buffers.states[panel], buffers);
    }
  }
  for (size_t panel = 0; panel < task.panels; ++panel) {
    StoreResults(a, task, panel, buffers.sums + panel * panel_values, buffers.states[panel]);
  }
}

template <typename Steps>
inline void Attention(const Context& context, const AttentionArguments& a) {
  const size_t threads = context.parallel.threads;
  const size_t panels = (a.query_tokens + kColumns - 1) / kColumns;
  // As many panels share packed keys as leave each thread a few tasks.
  const size_t share = panels * a.heads * a.batch / (threads * 4);
  const size_t wanted = share < 1 ? 1 : share < kMostPanelsTogether ? share : kMostPanelsTogether;
  const size_t groups = (panels + wanted - 1) / wanted;
  const size_t together = (panels + groups - 1) / groups;
  const size_t tasks = a.heads * a.batch * groups;
  const size_t worker_values = AttentionBuffers<Steps>::Values(a.head_dim);
  float* memory = context.scratch.Get(threads * worker_values);
  size_t next = 0;
  context.parallel.For(threads, [&](size_t worker) {
    AttentionBuffers<Steps> buffers(memory + worker * worker_values, a.head_dim);
    for (size_t index; (index = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < tasks;) {
      const size_t first_panel = index % groups * together;
      if (first_panel >= panels) continue;
      const size_t left = panels - first_panel;
      Attend<Steps>(a,
                    {index / groups / a.batch, index / groups % a.batch, first_panel,
                     left < together ? left : together},
                    buffers);
    }
  });
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
