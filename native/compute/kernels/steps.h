// How the operands of a product are held: a step along its depth is one float32, or a pair of bfloat16 that
// one instruction multiplies and adds. Either takes 32 bits a row or column, and sums are float32.
#pragma once

#include "compute/kernels/vector.h"

namespace latentd::compute {
namespace LATENTD_KERNELS_NAMESPACE {

inline Vector FromBits(IntVector bits) {
  Vector values;
  std::memcpy(&values, &bits, sizeof values);
  return values;
}

inline IntVector BitsOf(Vector values) {
  IntVector bits;
  std::memcpy(&bits, &values, sizeof bits);
  return bits;
}

/// float32 as it is.
struct Singles {
  using Value = float;
  static constexpr size_t kValues = 1;

  static Vector BroadcastStep(const float* at) { return Broadcast(*at); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector sum) { return sum + a * b; }
  static Vector Join(Vector first, Vector) { return first; }
  static const Value* Channel(const ConvolutionArguments& a, const Value*, size_t channel) {
    return a.Channel(channel);
  }
  /// Values [i, i + kLanes) of a row.
  static void StoreRow(float* row, size_t i, Vector values) { Store(row + i, values); }
};

/// Two bfloat16, rounded to nearest, ties to even; the first in the lower half.
struct Pairs {
  using Value = uint16_t;
  static constexpr size_t kValues = 2;

  static Vector BroadcastStep(const float* at) {
    int32_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return FromBits(bits - IntVector{});
  }

  /// Of an input whose rounded values lie in `x`.
  static const Value* Channel(const ConvolutionArguments& a, const Value* x, size_t channel) {
    return x + channel * a.batch * a.height * a.width;
  }

  static Value Round(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (value != value) return static_cast<Value>(bits >> 16 | 0x40u);
    return static_cast<Value>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }

#if defined(__AVX512BF16__)
  static Vector MultiplyAdd(Vector a, Vector b, Vector sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }

  /// Pairs of the same lanes of both.
  static Vector Join(Vector first, Vector second) {
    const __m512i halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
    alignas(64) static constexpr uint16_t kOrder[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                        21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return reinterpret_cast<Vector>(_mm512_permutexvar_epi16(_mm512_load_si512(kOrder), halves));
  }

  static void StoreRow(float* row, size_t i, Vector values) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(reinterpret_cast<std::byte*>(row) + 2 * i),
                        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
  }
#else
  static Vector MultiplyAdd(Vector a, Vector b, Vector sum) {
    constexpr int32_t kUpper = static_cast<int32_t>(0xffff0000u);
    const IntVector a_bits = BitsOf(a);
    const IntVector b_bits = BitsOf(b);
    sum += FromBits(a_bits << 16) * FromBits(b_bits << 16);
    return sum + FromBits(a_bits & kUpper) * FromBits(b_bits & kUpper);
  }

  static Vector Join(Vector first, Vector second) {
    IntVector pairs;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      pairs[lane] = static_cast<int32_t>(Round(first[lane]) | uint32_t{Round(second[lane])} << 16);
    }
    return FromBits(pairs);
  }

  static void StoreRow(float* row, size_t i, Vector values) {
    Value rounded[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) rounded[lane] = Round(values[lane]);
    std::memcpy(reinterpret_cast<std::byte*>(row) + sizeof(Value) * i, rounded, sizeof rounded);
  }
#endif
};

/// Steps that `values` values of a row or column take.
template <typename Steps>
constexpr size_t StepsOf(size_t values) {
  return (values + Steps::kValues - 1) / Steps::kValues;
}

}  // namespace LATENTD_KERNELS_NAMESPACE
}  // namespace latentd::compute
