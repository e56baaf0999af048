// Group and layer normalisation. Means come first, then squared distances from them: no cancellation,
// whatever the mean.
#pragma once

#include "compute/kernels/finish.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

/// Calls `function` with the lane values of each vector of `count` values.
template <typename Function>
inline void EachVector(const float* from, size_t count, const Function& function) {
  size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (size_t v = 0; v < 4; ++v) function(v, Load(from + i + v * kLanes));
  }
  for (; i + kLanes <= count; i += kLanes) function(0, Load(from + i));
}

/// Σ (x − mean)^power over a run, power 1 or 2.
template <int kPower>
inline double SumPower(const float* from, size_t count, float mean) {
  Vector sums[4] = {};
  EachVector(from, count, [&](size_t v, Vector x) {
    const Vector d = x - mean;
    sums[v] += kPower == 1 ? d : d * d;
  });
  double sum = Sum(sums[0] + sums[1] + (sums[2] + sums[3]));
  for (size_t i = count / kLanes * kLanes; i < count; ++i) {
    const double d = from[i] - mean;
    sum += kPower == 1 ? d : d * d;
  }
  return sum;
}

inline void GroupNorm(const Context& context, const GroupNormArguments& a) {
  const size_t per_group = a.channels / a.groups;
  const auto channel_at = [&](size_t group, size_t image, size_t c) {
    return ((group * per_group + c) * a.batch + image) * a.pixels;
  };
  context.parallel.For(a.groups * a.batch, [&](size_t task) {
    const size_t group = task / a.batch;
    const size_t image = task % a.batch;
    const double count = static_cast<double>(per_group * a.pixels);
    double sum = 0;
    for (size_t c = 0; c < per_group; ++c) sum += SumPower<1>(a.x + channel_at(group, image, c), a.pixels, 0);
    const float mean = static_cast<float>(sum / count);
    double squares = 0;
    for (size_t c = 0; c < per_group; ++c) {
      squares += SumPower<2>(a.x + channel_at(group, image, c), a.pixels, mean);
    }
    const float scale =
        static_cast<float>(1.0 / __builtin_sqrt(squares / count + static_cast<double>(a.epsilon)));
    for (size_t c = 0; c < per_group; ++c) {
      const size_t channel = group * per_group + c;
      const float weight = a.weight[channel] * scale;
      const float bias = a.bias[channel];
      const size_t at = channel_at(group, image, c);
      if (a.silu) {
        ForVectors(a.pixels, a.x + at, a.out + at,
                   [&](size_t, Vector v, size_t) { return Silu((v - mean) * weight + bias); });
      } else {
        ForVectors(a.pixels, a.x + at, a.out + at,
                   [&](size_t, Vector v, size_t) { return (v - mean) * weight + bias; });
      }
    }
  });
}

/// Columns are normalised in strips, so that a strip stays in the cache over its three passes; whole runs of
/// columns are read, since a column's own values lie a row apart.
inline constexpr size_t kStrip = 128;

inline void LayerNormStrip(const LayerNormArguments& a, size_t first, size_t count) {
  alignas(64) float mean[kStrip] = {};
  alignas(64) float scale[kStrip] = {};
  const float inverse = 1.0f / static_cast<float>(a.channels);
  for (size_t c = 0; c < a.channels; ++c) {
    const float* row = a.x + c * a.columns + first;
    for (size_t i = 0; i < count; ++i) mean[i] += row[i];
  }
  for (size_t i = 0; i < count; ++i) mean[i] *= inverse;
  for (size_t c = 0; c < a.channels; ++c) {
    const float* row = a.x + c * a.columns + first;
    for (size_t i = 0; i < count; ++i) {
      const float d = row[i] - mean[i];
      scale[i] += d * d;
    }
  }
  for (size_t i = 0; i < count; ++i) scale[i] = 1.0f / __builtin_sqrtf(scale[i] * inverse + a.epsilon);
  for (size_t c = 0; c < a.channels; ++c) {
    const size_t at = c * a.columns + first;
    const float weight = a.weight[c];
    const float bias = a.bias[c];
    for (size_t i = 0; i < count; ++i) a.out[at + i] = (a.x[at + i] - mean[i]) * scale[i] * weight + bias;
  }
}

inline void LayerNorm(const Context& context, const LayerNormArguments& a) {
  const size_t strips = (a.columns + kStrip - 1) / kStrip;
  context.parallel.For(strips, [&](size_t strip) {
    const size_t first = strip * kStrip;
    LayerNormStrip(a, first, a.columns - first < kStrip ? a.columns - first : kStrip);
  });
}

/// Channels whose squares are summed before they are added to the others'.
inline constexpr size_t kRun = 32;

inline void RmsNorm(const Context& context, const RmsNormArguments& a) {
  const size_t strips = (a.columns + kStrip - 1) / kStrip;
  context.parallel.For(a.heads * strips, [&](size_t task) {
    const size_t first = task % strips * kStrip;
    const size_t count = a.columns - first < kStrip ? a.columns - first : kStrip;
    const size_t start = task / strips * a.channels * a.columns + first;
    alignas(64) float scale[kStrip] = {};
    // In runs, which keeps digits that one long sum would lose.
    for (size_t from = 0; from < a.channels; from += kRun) {
      alignas(64) float run[kStrip] = {};
      const size_t end = from + kRun < a.channels ? from + kRun : a.channels;
      for (size_t c = from; c < end; ++c) {
        const float* row = a.x + start + c * a.columns;
        for (size_t i = 0; i < count; ++i) run[i] += row[i] * row[i];
      }
      for (size_t i = 0; i < count; ++i) scale[i] += run[i];
    }
    const float inverse = 1.0f / static_cast<float>(a.channels);
    for (size_t i = 0; i < count; ++i) scale[i] = 1.0f / __builtin_sqrtf(scale[i] * inverse + a.epsilon);
    for (size_t c = 0; c < a.channels; ++c) {
      const float weight = a.weight == nullptr ? 1.0f : a.weight[c];
      const size_t at = start + c * a.columns;
      for (size_t i = 0; i < count; ++i) a.out[at + i] = a.x[at + i] * scale[i] * weight;
    }
  });
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
