// What the tensor cores and the warp's exchanges do, from PTX's description of them.
#include "cuda/primitives.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace latentd::cuda {

float ToFloat(BF16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

float ToFloat(F16 value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
  const uint32_t exponent = value.bits >> 10 & 31;
  const uint32_t fraction = value.bits & 0x3ff;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

void Store(float value, BF16& into) {
  const auto bits = std::bit_cast<uint32_t>(value);
  into.bits = static_cast<uint16_t>(std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void Store(float value, F16& into) {
  const auto sign = static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16 & 0x8000);
  const float size = std::fabs(value);
  if (std::isnan(value)) {
    into.bits = 0x7fff;
  } else if (size >= 65520.0f) {
    into.bits = sign | 0x7c00;
  } else if (size < 6.103515625e-05f) {
    into.bits = sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 24)));
  } else {
    const auto bits = std::bit_cast<uint32_t>(size);
    into.bits = sign | static_cast<uint16_t>((bits + 0xfff + (bits >> 13 & 1) - (112u << 23)) >> 13);
  }
}

namespace {

struct MmaLane {
  float* c;
  const uint32_t* a;
  const uint32_t* b;
};

template <typename T>
void MultiplyInWarp(void* const* lanes) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& own = *static_cast<const MmaLane*>(lanes[lane]);
    const int group = lane / 4;
    const int place = lane % 4;
    for (int r = 0; r < 4; ++r) {
      const float2 pair = Unpack<T>(own.a[r]);
      const int row = group + 8 * (r % 2);
      const int column = 2 * place + 8 * (r / 2);
      a[row][column] = pair.x;
      a[row][column + 1] = pair.y;
    }
    for (int r = 0; r < 2; ++r) {
      const float2 pair = Unpack<T>(own.b[r]);
      b[2 * place + 8 * r][group] = pair.x;
      b[2 * place + 8 * r + 1][group] = pair.y;
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto& own = *static_cast<const MmaLane*>(lanes[lane]);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + 8 * (i / 2);
      const int column = 2 * (lane % 4) + i % 2;
      float sum = own.c[i];
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      own.c[i] = sum;
    }
  }
}

struct MatrixLane {
  uint32_t* to;
  const void* row;
};

template <bool kTransposed>
void LoadInWarp(void* const* lanes) {
  uint16_t matrices[4][8][8];
  for (int lane = 0; lane < 32; ++lane) {
    std::memcpy(matrices[lane / 8][lane % 8], static_cast<const MatrixLane*>(lanes[lane])->row, 16);
  }
  for (int lane = 0; lane < 32; ++lane) {
    for (int m = 0; m < 4; ++m) {
      const int row = lane / 4;
      const int column = 2 * (lane % 4);
      const uint32_t low = kTransposed ? matrices[m][column][row] : matrices[m][row][column];
      const uint32_t high = kTransposed ? matrices[m][column + 1][row] : matrices[m][row][column + 1];
      static_cast<const MatrixLane*>(lanes[lane])->to[m] = low | high << 16;
    }
  }
}

struct ShuffleLane {
  float value;
  int lanes;
  float result;
};

void ShuffleInWarp(void* const* lanes) {
  for (int lane = 0; lane < 32; ++lane) {
    auto* own = static_cast<ShuffleLane*>(lanes[lane]);
    own->result = static_cast<const ShuffleLane*>(lanes[lane ^ own->lanes])->value;
  }
}

}  // namespace

template <typename T>
void MmaM16N8K16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaLane lane{c, a, b};
  emulation::MeetWarp(&MultiplyInWarp<T>, &lane);
}
template void MmaM16N8K16<F16>(float (&)[4], const uint32_t (&)[4], const uint32_t (&)[2]);
template void MmaM16N8K16<BF16>(float (&)[4], const uint32_t (&)[4], const uint32_t (&)[2]);

void LoadMatrices(uint32_t (&to)[4], const void* row) {
  emulation::RequireAligned(row, 16);
  MatrixLane lane{to, row};
  emulation::MeetWarp(&LoadInWarp<false>, &lane);
}

void LoadMatricesTransposed(uint32_t (&to)[4], const void* row) {
  emulation::RequireAligned(row, 16);
  MatrixLane lane{to, row};
  emulation::MeetWarp(&LoadInWarp<true>, &lane);
}

float ShuffleXor(float value, int lanes) {
  ShuffleLane lane{value, lanes, 0};
  emulation::MeetWarp(&ShuffleInWarp, &lane);
  return lane.result;
}

}  // namespace latentd::cuda
