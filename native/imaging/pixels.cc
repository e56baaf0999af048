#include "imaging/pixels.h"

#include <limits>

namespace latentd {
namespace {

template <typename Pixel>
constexpr float kWhite = std::numeric_limits<Pixel>::max();

template <typename Pixel>
void Unpack(const Pixel* from, float* into, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] = static_cast<float>(from[i]) / kWhite<Pixel>;
}

template <typename Pixel>
void Pack(const float* from, Pixel* into, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float scaled = from[i] * kWhite<Pixel> + 0.5f;
    // In this order NaN, of which no comparison is true, becomes 0.
    const float lower = scaled > 0.0f ? scaled : 0.0f;
    into[i] = static_cast<Pixel>(static_cast<int32_t>(lower < kWhite<Pixel> ? lower : kWhite<Pixel>));
  }
}

}  // namespace

void FloatsOfPixels(const uint8_t* from, float* into, size_t count) { Unpack(from, into, count); }

void FloatsOfPixels(const uint16_t* from, float* into, size_t count) { Unpack(from, into, count); }

void PixelsOfFloats(const float* from, uint8_t* into, size_t count) { Pack(from, into, count); }

void PixelsOfFloats(const float* from, uint16_t* into, size_t count) { Pack(from, into, count); }

}  // namespace latentd
