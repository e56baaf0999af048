// A mapped file's bytes as one addon shares them with another, which knows none of its classes.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace latentd {

/// Behind the JavaScript value that `MappedFile.hold` returns; the file stays mapped as long as that value is
/// referenced.
struct MappedBytes {
  const std::byte* data;
  uint64_t size;
};

constexpr napi_type_tag kMappedBytesTag{0x6c6174656e746420, 0x6d61706265797465};

}  // namespace latentd
