// Heights, widths and numbers of pictures at the addon's door.
#pragma once

#include "arguments.h"

namespace latentd {

/// Beyond any picture, and small enough that products of extents stay far from overflow; OpenCV's own limit
/// for places is 2^15.
inline constexpr uint64_t kMaxExtent = 1 << 20;

/// A whole number in [1, kMaxExtent].
inline size_t RequireExtent(const Napi::Value& value, const char* name) {
  const uint64_t extent = RequireCount(value, name);
  if (extent < 1 || extent > kMaxExtent) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be between 1 and " +
                                                 std::to_string(kMaxExtent) + ", got " +
                                                 std::to_string(extent));
  }
  return static_cast<size_t>(extent);
}

}  // namespace latentd
